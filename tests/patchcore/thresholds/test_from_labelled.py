import math

import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.statistics.intervals import clopper_pearson
from patchcore.thresholds.from_labelled import (
    cheapest,
    escape_ceiling,
    f1_max,
    false_reject_ceiling,
    fixed,
    no_escapes,
    no_false_rejects,
    outcome,
    review_words,
    youden,
)
from patchcore.thresholds.verdict_counts import counts_words, unlabelled_words

GOOD = np.array([1.0, 1.5, 2.0, 2.0, 2.5, 4.0])
DEFECT = np.array([2.0, 3.0, 5.0, 6.0])


def every_way(good: np.ndarray, defect: np.ndarray) -> list[tuple[int, int]]:
    """False rejects and escapes of every possible threshold, by counting."""
    steps = [-math.inf, *np.concatenate([good, defect])]
    return [(int((good > t).sum()), int((defect <= t).sum())) for t in steps]


@pytest.fixture(params=range(10))
def scores(request) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    return np.round(rng.normal(2, 1, 40), 1), np.round(rng.normal(3.5, 1, 15), 1)


def test_rules_by_hand():
    assert no_escapes(GOOD, DEFECT).value == 1.75
    assert no_false_rejects(GOOD, DEFECT).value == 4.5
    # above 2.75: 3 of 4 caught, 1 false reject, F1 = 6/8; above 4.5: 2 caught, none false, F1 = 4/6
    assert f1_max(GOOD, DEFECT).value == 2.75
    assert youden(GOOD, DEFECT).value == 2.75
    assert false_reject_ceiling(GOOD, DEFECT, 0.0).value == 4.5
    assert escape_ceiling(GOOD, DEFECT, 0.25).value == 2.75
    assert cheapest(GOOD, DEFECT, 1000, 0.5).value == 1.75
    assert cheapest(GOOD, DEFECT, 0.01, 0.5).value == 4.5


def test_outcome_and_words():
    found = no_escapes(GOOD, DEFECT)
    assert found.outcome == outcome(GOOD, DEFECT, 1.75)
    assert (found.outcome.false_rejects, found.outcome.escapes) == (4, 0)
    assert (
        found.statement
        == "Lets no known defect through. It rejects 4 of 6 good images and accepts 0 of 4 defects."
    )
    assert found.outcome.false_reject_rate.interval == clopper_pearson(4, 6)
    assert found.outcome.escape_rate.interval == clopper_pearson(0, 4)


def test_counts_between_two_thresholds_go_to_review():
    found = outcome([1, 2, 3], [2, 4, 6], 3, accept=1.5)
    assert (found.false_rejects, found.good_in_review, found.escapes, found.defects_in_review) == (0, 2, 0, 1)
    assert counts_words(found) == (
        "It rejects 0 of 3 good images and accepts 0 of 3 defects; 2 good images and 1 defect go to review."
    )
    assert counts_words(outcome([1], [], 3)) == "It rejects 0 of 1 good image."
    assert unlabelled_words(["reject", "accept", "review", None]) == (
        "Of 3 images without a label it rejects 1; 1 goes to review."
    )
    assert unlabelled_words([None]) == ""


def test_each_rule_reaches_the_best_of_every_way(scores):
    good, defect = scores
    ways = every_way(good, defect)
    n, m = good.size, defect.size

    def reached(rule, *settings):
        found = rule(good, defect, *settings).outcome
        return found.false_rejects, found.escapes

    def f1(fr, esc):
        return 2 * (m - esc) / (2 * (m - esc) + fr + esc)

    assert f1(*reached(f1_max)) == pytest.approx(max(f1(*way) for way in ways), abs=1e-12)
    assert reached(no_escapes) == min((fr, esc) for fr, esc in ways if esc == 0)
    assert reached(no_false_rejects)[::-1] == min((esc, fr) for fr, esc in ways if fr == 0)
    fr, esc = reached(youden)
    assert fr / n + esc / m == pytest.approx(min(a / n + b / m for a, b in ways))
    fr, esc = reached(cheapest, 50, 0.02)
    assert 0.98 * fr / n + esc / m == pytest.approx(min(0.98 * a / n + b / m for a, b in ways))
    fr, esc = reached(false_reject_ceiling, 0.1)
    assert fr <= 0.1 * n and esc == min(b for a, b in ways if a <= 0.1 * n)
    fr, esc = reached(escape_ceiling, 0.2)
    assert esc <= 0.2 * m and fr == min(a for a, b in ways if b <= 0.2 * m)


def test_expected_cost_by_hand():
    found = cheapest(GOOD, DEFECT, cost_ratio=20, defect_rate=0.01)
    rates = found.outcome.false_rejects / 6, found.outcome.escapes / 4
    cost = 0.99 * rates[0] + 0.01 * 20 * rates[1]
    assert f"{1000 * cost:.3g} false rejects' worth per 1,000 parts" in found.statement
    assert "an escape costs 20 false rejects and 1 % of parts" in found.statement


def test_scores_that_overlap_wholly_or_not_at_all():
    apart = youden([1.0, 2.0], [3.0, 4.0])
    assert (apart.value, apart.outcome.false_rejects, apart.outcome.escapes) == (2.5, 0, 0)
    flat = no_escapes([2.0, 2.0], [2.0, 2.0])
    assert flat.outcome.escapes == 0 and flat.outcome.false_rejects == 2 and flat.value < 2.0
    assert no_false_rejects([2.0, 2.0], [2.0, 2.0]).value == 2.0
    assert f1_max([2.0] * 3, [2.0] * 3).outcome.escapes == 0


def test_a_chosen_threshold_is_kept_as_it_is():
    found = fixed(GOOD, DEFECT, 2.0)
    assert (found.value, found.outcome.false_rejects, found.outcome.escapes) == (2.0, 2, 1)
    assert fixed([], [], 2.0).outcome.good == 0
    with pytest.raises(SettingsError, match="A threshold is a number"):
        fixed(GOOD, DEFECT, math.inf)


def test_two_images():
    assert f1_max([1.0], [2.0]).value == 1.5
    assert no_escapes([2.0], [1.0]).outcome.false_rejects == 1


def test_missing_kind_of_images_raises_a_sentence():
    assert no_escapes([], [3.0]).value < 3.0
    assert no_false_rejects([3.0], []).value == 3.0
    for rule in (f1_max, youden, lambda g, d: cheapest(g, d, 10, 0.01)):
        with pytest.raises(DataError, match="no score of a defect"):
            rule([1.0], [])
        with pytest.raises(DataError, match="no score of a good image"):
            rule([], [1.0])
    with pytest.raises(DataError, match="not finite"):
        f1_max([1.0, math.nan], [1.0])


def test_impossible_settings_are_refused():
    with pytest.raises(SettingsError, match="costs more than 0"):
        cheapest(GOOD, DEFECT, 0, 0.01)
    with pytest.raises(SettingsError, match="share of defects"):
        cheapest(GOOD, DEFECT, 10, 1.0)
    with pytest.raises(SettingsError, match="ceiling"):
        escape_ceiling(GOOD, DEFECT, 1.0)


def test_review_words_count_good_images_in_review():
    low, high = clopper_pearson(3, 6)
    assert review_words(GOOD, 1.9, 3.0) == (
        f"By score, about 50 % of parts go to review (3 of 6 good images, {low * 100:.0f} % to {high * 100:.0f} %)."
    )
    assert review_words(GOOD, 3.0, 3.0).startswith(
        "By score, about 0 % of parts go to review (0 of 6 good images"
    )
