"""Verdicts image by image."""

import numpy as np

from patchcore.evaluation.judging import Judge
from patchcore.evaluation.labelled_score import LabelledScore
from tests.patchcore.thresholds.test_operating_point import point


def image(load_map):
    return LabelledScore("a\nb", "good", 4.0, load_map, lambda: None, list, "accept")


def never():
    raise AssertionError("the map was read")


def test_a_score_is_judged_without_its_map_and_an_old_verdict_forgotten():
    assert Judge(point()).judged(image(never)).verdict == "reject"
    assert Judge(None).judged(image(never)).verdict is None


def test_stale_thresholds_judge_no_image_and_say_so_once():
    judge = Judge(point().outdated("An image was removed."))
    assert [judge.judged(image(never)).verdict for _ in range(2)] == [None, None]
    assert judge.unjudged == ["Nothing is judged: the threshold is out of date. An image was removed."]


def test_area_needs_the_map():
    by_area = point(pixel=2.0, judge_by="area")
    assert Judge(by_area).judged(image(lambda: np.zeros((4, 4), np.float32))).verdict == "accept"
    judge = Judge(by_area)

    def gone():
        raise OSError("gone")

    assert judge.judged(image(gone)).verdict is None
    assert judge.unjudged == ["a\\nb: not judged, its map is missing or damaged: gone"]
