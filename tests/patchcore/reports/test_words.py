"""The report's sentences."""

from dataclasses import replace

import pytest

from patchcore.evaluation.measures import judge, measure, on_basis
from patchcore.reports.words import headline, judge_words, limits, moment_words, score_words
from patchcore.thresholds.label_basis import LabelBasis
from patchcore.thresholds.operating_point import Choice
from tests.patchcore.labelled_sets import item, point, some_of_each


@pytest.mark.parametrize(
    ("accept", "reject", "sentence"),
    [
        (
            2.0,
            3.0,
            "Of 7 defects, 4 are rejected, 1 goes to review and 2 pass; of 5 good parts, 1 is rejected.",
        ),
        (0.1, 0.2, "Of 7 defects, all are rejected and none passes; of 5 good parts, all are rejected."),
        (9.0, 9.0, "Of 7 defects, none is rejected and 7 pass; of 5 good parts, none is rejected."),
        (
            1.0,
            6.5,
            "Of 7 defects, 1 is rejected, 6 go to review and none passes; "
            "of 5 good parts, none is rejected and 3 go to review.",
        ),
    ],
)
def test_the_outcome_in_a_sentence(accept, reject, sentence):
    assert headline(measure(some_of_each(), point=point(accept, reject))) == sentence


def test_the_outcome_of_one_part():
    only = measure([item("a", "bent", 9.0)], point=point())
    assert (
        headline(only) == "Of 1 defect, 1 is rejected and none passes; no good part was there to be rejected."
    )


def test_words_for_every_way_of_judging():
    unchecked = replace(point(3.0, 3.0), picture_check=False)
    by_score = "An image that scores above 3.00 is rejected; any other is accepted."
    assert judge_words(unchecked) == f"{by_score} The whole picture is not checked."
    assert judge_words(point(3.0, 3.0)) == (
        f"{by_score} One that would be accepted goes to review where its whole picture differs from all good images."
    )
    area = judge_words(point(pixel=2.5, min_area=30, judge_by="area"))
    assert area.startswith(
        "An image is rejected when its map shows a region of at least 30 pixels above 2.50; any other is accepted. One"
    )
    assert "where score and regions disagree" in judge_words(point(pixel=2.5, judge_by="both"))


@pytest.mark.parametrize(
    ("value", "like", "words"),
    [(3.4217, 3.0, "3.42"), (0.034217, 0.05, "0.0342"), (1234.5, 900.0, "1,234"), (0.0, 0.0, "0.000")],
)
def test_scores_have_three_digits(value, like, words):
    assert score_words(value, like) == words


def test_iso_times_are_written_in_words():
    assert moment_words("2025-03-03T09:12:00+00:00") == "3 March 2025, 09:12 UTC"
    assert moment_words("2025-03-03T09:12:00+01:00") == "3 March 2025, 09:12"
    assert moment_words("yesterday") == "yesterday"


def test_limits_follow_the_numbers():
    evaluation = measure(some_of_each(), point=point())
    told = dict(limits(evaluation, 400))
    sample = told["So many images, so much certainty"]
    assert "none of 7 defects had escaped, up to 41 %" in sample
    assert "none of 5 good parts had been rejected, up to 52 %" in sample
    assert "Every type has fewer than 20" in told["Only these defects were tried"]
    assert "The threshold may have seen these images" not in told
    labelled = judge(evaluation, replace(point(), rule=Choice("no_escapes")))
    assert "The threshold may have seen these images" in dict(limits(labelled, None))
    apart = measure(
        [item("a", "good", 1.0), item("b", "good", 1.1), item("c", "x", 2.0), item("d", "x", 3.0)]
    )
    assert "not certainty" in dict(limits(apart, None))["So many images, so much certainty"]


def test_labels_that_are_no_sample_promise_nothing_of_further_parts():
    evaluation = on_basis(measure(some_of_each(), point=point()), LabelBasis("chosen", "Chosen by scores."))
    told = dict(limits(evaluation, 400))
    assert told["The labels are no sample"] == "Chosen by scores."
    assert not any("further ones could" in words for words in told.values())
