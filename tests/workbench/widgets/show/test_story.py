from types import SimpleNamespace

import pytest

from patchcore.thresholds.operating_point import Evidence
from tests.points import by_hand
from workbench.widgets.show import story


def result(number, score, truth=None):
    image = SimpleNamespace(truth=truth, sha256=f"{97 * number % 101:03}")
    return SimpleNamespace(id=number, score=score, image=image)


@pytest.fixture(scope="module")
def lot():
    """Twelve good parts, of which one is rejected; scratches and a dent, of which one scratch escapes."""
    good = [result(number, 1 + number / 20, "good") for number in range(12)]
    good[3] = result(3, 4.5, "good")
    scratches = [result(20 + number, 6.0 + number, "scratch") for number in range(5)]
    return [*good, *scratches, result(30, 1.2, "scratch"), result(40, 5.0, "dent")]


def test_a_good_part_comes_first_then_each_type_clear_to_faint_then_both_wrong_verdicts(lot):
    told = story.telling(lot, by_hand(4.0, Evidence(), "bank", set_by="Ada"))
    assert told[0].image.truth == "good" and told[0].score < 4
    assert [one.id for one in told[-2:]] == [30, 3]
    defects = told[1:-2]
    assert {one.image.truth for one in defects} == {"scratch", "dent"} and defects[0].id == 24
    assert len(defects) == story.LEAST_DEFECTS
    assert [one.score for one in defects] == sorted((one.score for one in defects), reverse=True)


def test_without_labels_the_extremes_and_the_nearest_to_the_threshold_are_told():
    lot = [result(number, float(number)) for number in range(1, 30)]
    told = [one.id for one in story.telling(lot, by_hand(12.4, Evidence(), "bank", set_by="Ada"))]
    assert told[0] == 1 and told[1] == 29 and {12, 13} < set(told) and len(told) == story.MOST_TOLD


def test_a_small_batch_is_told_whole_and_an_empty_one_is_empty():
    lot = [result(number, float(number), "scratch") for number in range(1, 5)]
    assert [one.id for one in story.telling(lot, by_hand(2.0, Evidence(), "bank", set_by="Ada"))] == [
        1,
        4,
        3,
        2,
    ]
    assert story.telling([], by_hand(2.0, Evidence(), "bank", set_by="Ada")) == []


def test_folders_sorted_by_truth_are_replayed_in_an_order_that_stays(lot):
    assert story.is_sorted(SimpleNamespace(watch_id=None), lot)
    assert not story.is_sorted(SimpleNamespace(watch_id=7), lot)  # the order of a line is worth seeing
    assert not story.is_sorted(SimpleNamespace(watch_id=None), [result(1, 1.0)])
    order = [one.id for one in story.mixed(lot)]
    assert order == [one.id for one in story.mixed(lot[::-1])] != [one.id for one in lot]
