import pytest

from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from workbench.widgets.shared import wording


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0932, "0.093"), (0.5, "0.500"), (3.4201, "3.42"), (51.26, "51.3"), (2e6, "2.00e+06")],
)
def test_scores_have_three_digits(value, words):
    assert wording.score(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0342, "34 ms"), (1.44, "1.4 s"), (59.7, "1 min 00 s"), (130, "2 min 10 s"), (3900, "1 h 05 min")],
)
def test_durations_have_sensible_units(value, words):
    assert wording.seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0999, "10 %"), (0.025, "2.5 %"), (0.0025, "0.25 %"), (0.2, "20 %")]
)
def test_shares_are_percentages(value, words):
    assert wording.share(value) == words


def test_a_rule_is_a_few_words():
    point = decide(
        Choice("from_good", {"budget": 0.25}), Evidence({"a": 1.0, "b": 2.0, "c": 4.0}), "b", set_by="Ada"
    )
    assert wording.rule(point) == "rejects at most 25 % of good parts"
    worst = decide(Choice("provisional"), point.evidence, "b", set_by="Ada")
    assert wording.rule(worst) == "set from the worst of 3 good images"


def test_labels_of_a_choice_are_told_apart_by_their_hints_and_then_by_numbers():
    labels = {"a": "Plate", "b": "Washer", "c": "Plate", "d": "Plate", "e": "Plate, 9:15"}
    hints = {"a": "9:14", "c": "9:15", "d": "9:15"}
    assert wording.distinct(labels, hints) == {
        "a": "Plate, 9:14",
        "b": "Washer",
        "c": "Plate, 9:15 (2)",
        "d": "Plate, 9:15 (3)",
        "e": "Plate, 9:15",
    }
    assert wording.distinct({1: "x", 2: "x"}) == {1: "x", 2: "x (2)"}
    assert wording.distinct({}) == {}
