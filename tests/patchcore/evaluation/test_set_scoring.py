"""Scoring a labelled set image by image."""

import numpy as np
from PIL import Image

from patchcore.evaluation.mvtec_layout import read_layout
from patchcore.evaluation.set_scoring import inspect_each
from tests.patchcore.conftest import stripes


def test_map_is_computed_again_only_for_an_earlier_image(model, tmp_path):
    (tmp_path / "good").mkdir()
    for seed in range(2):
        Image.fromarray(stripes(seed + 70)).save(tmp_path / f"good/{seed}.png")
    (tmp_path / "good/2.png").write_text("no image", encoding="utf-8")
    calls, left_out, reported = [], [], []

    class Counted:
        settings, operating_point_ = model.settings, model.operating_point_

        twin_of, score = model.twin_of, model.score

        def read(self, path):
            calls.append(path.name)
            return model.read(path)

    items = inspect_each(Counted(), read_layout(tmp_path), left_out, [], [], lambda *at: reported.append(at))
    first, second = items
    assert [item.verdict for item in (first, second)] == [
        model.operating_point_.verdict(item.score) for item in (first, second)
    ]
    assert calls == ["0.png", "1.png", "2.png"]
    assert second.load_map() is second.load_map() and len(calls) == 3
    assert np.array_equal(first.load_map(), model.score(tmp_path / "good/0.png").map)
    assert calls[3:] == ["0.png"]
    assert len(left_out) == 1 and "2.png" in left_out[0]
    assert reported[-1] == (3, 3)
