import math

import numpy as np
import pytest
from scipy import stats

from patchcore.errors import DataError, SettingsError
from patchcore.statistics.intervals import clopper_pearson
from patchcore.thresholds.from_good import (
    extrapolated,
    from_good,
    from_quantile,
    images_needed,
    promise,
    provisional,
)

TRIALS = 2000
DISTRIBUTIONS = {"gamma": stats.gamma(4), "lognormal": stats.lognorm(0.5), "normal": stats.norm(3, 1)}


@pytest.mark.parametrize(("n", "budget"), [(30, 1 / 20), (30, 0.1), (100, 1 / 50), (500, 1 / 200)])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_budget_and_interval_hold_over_many_trials(n, budget, name):
    truth = DISTRIBUTIONS[name]
    scores = truth.rvs((TRIALS, n), random_state=np.random.default_rng(n))
    found = [from_good(row, budget) for row in scores]
    rates = truth.sf([good.value for good in found])  # exact, for the distribution is known
    assert rates.mean() <= budget + 3 * rates.std() / math.sqrt(TRIALS)
    assert rates.mean() >= budget - 1 / (n + 1) - 3 * rates.std() / math.sqrt(TRIALS)  # nor needlessly strict
    low, high = np.array([good.interval for good in found]).T
    assert np.mean((low <= rates) & (rates <= high)) >= 0.95


def test_value_is_the_ranked_score_by_hand():
    found = from_good(np.arange(199, 0, -1), 1 / 200)
    assert (found.value, found.needed, found.n_rejected) == (199, 0, 0)
    found = from_good(np.arange(1, 400), 1 / 200)
    assert (found.value, found.n_rejected) == (398, 1)
    assert "399 good images: expect at most 1 false reject in 200 good parts, as long as" in found.statement


@pytest.mark.parametrize("one_in", [2, 3, 20, 100, 200, 1000])
def test_exactly_enough_images_are_enough(one_in):
    n = images_needed(1 / one_in)
    assert n == one_in - 1
    assert from_good(np.arange(n), 1 / one_in).value == n - 1
    if n > 1:
        few = from_good(np.arange(n - 1), 1 / one_in)
        assert (few.value, few.needed, few.interval) == (None, 1, None)
        assert "at least 1 more good image is needed" in few.statement


def test_too_few_images_never_get_a_number():
    found = from_good([1.0, 2.0], 1 / 200)
    assert (found.value, found.needed) == (None, 197)
    assert "at least 197 more good images are needed" in found.statement


ALIKE = {
    "equal": [3.0] * 100,
    "zero": [0.0] * 30,
    "within a hundredth": np.linspace(2.99, 3.0, 40),
    "one": [7.5],
}


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("rule", [lambda scores: from_good(scores, 0.5), provisional])
def test_scores_that_hardly_differ_promise_nothing(rule, name):
    found = rule(ALIKE[name])
    assert found.interval is None and found.value is not None
    assert "without a promise" in found.statement and "Add images of other good parts" in found.statement
    assert "false reject in" not in found.statement


def test_equal_scores_reject_none_of_themselves():
    found = from_good([3.0] * 100, 0.05)
    assert (found.value, found.n_rejected) == (3.0, 0)


def test_ties_do_not_narrow_the_interval():
    found = from_good([*np.linspace(1, 2, 94), *[3.0] * 6], 0.05)
    assert (found.value, found.n_rejected) == (3.0, 0)
    assert found.interval[0] == 0 and found.interval[1] == pytest.approx(clopper_pearson(4, 100)[1])


def test_scores_that_differ_a_little_more_promise():
    assert provisional(np.linspace(2.95, 3.0, 40)).interval is not None


def test_clopper_pearson_equals_scipy():
    for events, trials in [(0, 10), (3, 10), (10, 10), (2, 60)]:
        interval = stats.binomtest(events, trials).proportion_ci(0.95, "exact")
        assert clopper_pearson(events, trials) == pytest.approx((interval.low, interval.high), abs=1e-12)
    with pytest.raises(DataError, match="trial"):
        clopper_pearson(1, 0)


def test_provisional_rule_takes_the_smallest_possible_budget():
    found = provisional(np.arange(45))
    assert (found.value, found.budget, found.provisional) == (44, pytest.approx(1 / 46), True)
    assert found.statement.startswith(
        "Provisional, set from the worst of 45 good images: expect about 1 false reject in 45, as"
    )
    assert provisional([2.0]).value == 2.0
    for n in range(1, 400):
        assert provisional(np.arange(n)).value == n - 1


def test_quantile_rule_makes_no_promise():
    found = from_quantile(np.arange(1, 46), 0.05)
    assert (found.value, found.n_rejected) == (43, 2)
    assert "promises nothing" in found.statement
    assert from_quantile([1, 2, 3], 0).value == 3
    with pytest.raises(SettingsError, match="share"):
        from_quantile([1.0], 1.0)


def test_tail_of_a_known_distribution_is_recovered_and_called_an_extrapolation():
    scores = stats.expon.rvs(size=4000, random_state=np.random.default_rng(0))
    found = extrapolated(scores, 1 / 20_000)
    assert found.value == pytest.approx(math.log(20_000), rel=0.15)
    assert found.extrapolated and found.interval is None
    assert found.statement.startswith("Extrapolation, not a promise")
    within = extrapolated(scores, 0.5)
    assert within.value == pytest.approx(math.log(2), abs=0.05)


def test_few_or_equal_scores_give_no_tail():
    few = extrapolated(np.arange(20), 1 / 1000)
    assert few.value is None and few.needed > 0 and "No tail" in few.statement
    assert extrapolated(np.arange(20 + few.needed), 1 / 1000).value is not None
    assert extrapolated([2.0] * 500, 1 / 1000).value is None


@pytest.mark.parametrize("rule", [lambda s: from_good(s, 0.1), provisional, lambda s: extrapolated(s, 0.1)])
def test_bad_scores_get_a_sentence(rule):
    with pytest.raises(DataError, match="1 of 3 scores of a good image are not finite"):
        rule([1.0, math.nan, 2.0])
    with pytest.raises(DataError, match="no score"):
        rule([])


@pytest.mark.parametrize("budget", [0, 1, -0.1, 200, math.nan])
def test_impossible_budgets_are_refused(budget):
    with pytest.raises(SettingsError, match="budget"):
        from_good([1.0, 2.0], budget)


def test_budgets_in_words():
    assert promise(1 / 200) == "at most 1 good part in 200"
    assert promise(0.03) == "at most 3 % of good parts"
