import json

import numpy as np
import pytest

from patchcore.errors import SettingsError
from workbench.viewer.items import Dot, Thresholds, Tile, kind_of, label_of, thresholds_from


def test_a_review_band_above_the_reject_threshold_is_refused():
    assert Thresholds(3.0, 2.0).review == 2.0
    with pytest.raises(SettingsError, match="review band"):
        Thresholds(2.0, 3.0)
    with pytest.raises(SettingsError, match="review band"):
        Thresholds(None, 3.0)


def test_thresholds_are_read_from_what_the_browser_sends():
    assert thresholds_from({"reject": 3, "review": None}) == Thresholds(3.0)
    assert thresholds_from({"reject": 3, "review": 2.5}) == Thresholds(3.0, 2.5)
    assert thresholds_from(None) is None
    assert thresholds_from({"reject": None}) is None


def test_a_tile_tells_the_browser_what_is_known():
    tile = Tile("k", "<b>.png", 1.5, b"", label="defect", truth="scratch").to_dict("media/x")
    expected = {
        "key": "k",
        "name": "<b>.png",
        "score": 1.5,
        "kind": "defect",
        "url": "media/x",
        "truth": "scratch",
        "group": "scratch",
    }
    assert tile == expected
    fixed = Tile(
        "k", "a.png", 1.5, b"", label="good", peak=0.5, fixed=True, worst_box=(0, 0, np.int64(4), 8)
    ).to_dict("u")
    assert json.dumps(fixed["box"]) == "[0, 0, 4, 8]"
    assert (fixed["peak"], fixed["fixed"]) == (0.5, True) and "group" not in fixed
    assert Dot("k", "n", 1.0).to_dict()["kind"] == "image"


@pytest.mark.parametrize(
    ("truth", "label", "kind"),
    [("good", "good", "good"), ("scratch", "defect", "defect"), (None, None, "image")],
)
def test_tiles_and_dots_take_the_same_from_a_label(truth, label, kind):
    assert (label_of(truth), kind_of(truth)) == (label, kind)
    assert kind_of("good", in_bank=True) == "reference"
