"""The consequences of a threshold that somebody should hear of before it is put in force."""

import pytest

from patchcore.thresholds.consequences import JudgedTwice, grave_consequences


def images(*scores, defect=None, stored=10.0, new=10.0):
    def verdict(score, reject):
        return "reject" if score > reject else "accept"

    return [JudgedTwice(defect, score, verdict(score, stored), verdict(score, new)) for score in scores]


def test_defects_that_would_be_accepted_are_counted_beside_those_that_are():
    known = images(5, 15, 25, defect=True, new=20)
    assert grave_consequences(known, 20) == ["2 of 3 known defects would be accepted; at present 1 is."]


@pytest.mark.parametrize("label", [None, False, True])
def test_a_threshold_that_rejects_nothing_more_is_named_with_what_is_rejected_now(label):
    found = grave_consequences(images(8, 15, defect=label, new=16), 16)
    assert found[-1] == (
        "Nothing would be rejected: the highest of 2 scored images scores 15, the threshold is 16. At present 1 is "
        "not accepted."
    )


def test_a_threshold_far_above_every_score_is_named_though_nothing_is_rejected_now():
    assert (
        grave_consequences(images(8, 9, defect=False, new=17), 17) == []
    )  # the worst good image sets many a line
    (told,) = grave_consequences(images(8, 9, defect=False, new=90), 90)
    assert told.startswith("Nothing would be rejected") and told.endswith("At present 0 are not accepted.")


@pytest.mark.parametrize(("label", "noun"), [(None, "scored images"), (False, "scored images")])
def test_a_threshold_that_rejects_everything_is_named(label, noun):
    (told,) = grave_consequences(images(8, 9, defect=label, new=1), 1)
    assert told == f"Everything would be rejected: all 2 {noun} score above the threshold."


def test_all_good_images_rejected_is_named_though_another_image_is_accepted():
    known = [*images(8, 9, defect=False, new=5), *images(4, new=5)]
    assert grave_consequences(known, 5) == [
        "Everything would be rejected: all 2 good images score above the threshold."
    ]


def test_a_threshold_between_good_and_defects_has_no_grave_consequence():
    assert grave_consequences([*images(4, defect=False), *images(15, defect=True), *images(7)], 10) == []
    assert grave_consequences([], 10) == []
    assert grave_consequences([JudgedTwice(True, 3.0, None, None)], 10) == []
