import json

import numpy as np
import torch
from PIL import Image

from pretraining import limits
from pretraining.dice import Dice


def _away(*places: tuple[int, int]) -> torch.Tensor:
    away = torch.ones(len(places), 8, 8)
    for i, (row, column) in enumerate(places):
        away[i, row, column] = 2 + i
    return away


def test_the_rim_is_the_two_outermost_rows_and_columns():
    places = ((0, 4), (1, 6), (2, 2), (5, 5), (6, 4), (4, 7))
    assert limits.on_rim(_away(*places)).tolist() == [True, True, False, False, True, True]


def test_a_good_image_loud_at_its_rim_costs_the_whole_but_not_the_inner_score():
    good = _away((0, 0), (0, 3))
    good[:, 0] += 5
    bad = _away((4, 4), (3, 3))
    summary = limits.limits({"good": good, "crack": bad})
    assert summary["auroc"] == 0.0
    assert summary["auroc_without_the_rim"] == 1.0
    assert summary["decided_on_the_rim"] == {"good": 1.0, "crack": 0.0}


def test_the_command_measures_a_folder(tmp_path, capsys):
    for kind, count in (("train/good", 3), ("test/good", 2), ("test/hole", 2)):
        folder = tmp_path / kind
        folder.mkdir(parents=True)
        for i in range(count):
            pixels = (128 + 4 * Dice(i, len(kind)).normal(64, 64)).clamp(0, 255).byte().numpy()
            if kind == "test/hole":
                pixels[24:44, 24:44] = 0
            Image.fromarray(np.repeat(pixels[..., None], 3, 2)).save(folder / f"{i}.png")
    limits.main(["--set", str(tmp_path), "--every", "1", "--layer", "layer2"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["auroc_of_each_kind"] == {"hole": 1.0}
