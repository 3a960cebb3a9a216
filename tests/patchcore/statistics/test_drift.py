"""False alarms are at most as many as is said, a small shift is noticed as soon as is said, the chart is Roberts'."""

import numpy as np
import pytest

from patchcore.statistics.drift import (
    ALARM,
    HORIZON,
    LEVEL,
    LIMIT,
    REFERENCE,
    WEIGHT,
    WINDOW,
    compare,
    compare_windows,
    control_chart,
    windows_of,
)

SIMULATIONS = 1000


def alarms(scores):
    return [one.is_drift for one in compare_windows(scores[:REFERENCE], scores[REFERENCE:])]


def test_false_alarms_in_a_run_without_drift_are_at_most_as_many_as_said():
    rng = np.random.default_rng(7)
    runs = rng.lognormal(0.5, 0.3, (SIMULATIONS, REFERENCE + HORIZON))
    runs[::2] = np.round(runs[::2], 1)  # many ties
    assert sum(any(alarms(run)) for run in runs) / SIMULATIONS <= ALARM


def test_a_shift_of_half_a_standard_deviation_is_noticed_within_200_parts_in_nine_of_ten_cases():
    rng, noticed = np.random.default_rng(8), 0
    for number in range(SIMULATIONS // 2):
        scores = rng.normal(5, 1, REFERENCE + 6 * WINDOW)
        onset = REFERENCE + WINDOW + number % WINDOW  # anywhere in a window
        scores[onset:] += 0.5
        noticed += any(alarms(scores[: onset + 2 * WINDOW])[1:])
    assert noticed / (SIMULATIONS // 2) >= 0.9


def test_a_window_is_compared_as_by_counting_pairs():
    rng = np.random.default_rng(0)
    reference, window = rng.random(30).round(1), rng.random(20).round(1)
    above = np.mean([(late > early) + (late == early) / 2 for late in window for early in reference])
    found = compare(reference, window)
    assert found.above == pytest.approx(above)
    assert (found.median, found.reference_median) == (np.median(window), np.median(reference))


def test_the_p_value_is_the_share_of_shuffles_that_are_as_high():
    rng = np.random.default_rng(1)
    reference, window = rng.random(40), rng.random(30) + 0.1
    found, pool = compare(reference, window), np.concatenate([reference, window])
    shuffled = [
        compare(mixed[:40], mixed[40:]).above for mixed in (rng.permutation(pool) for _ in range(1000))
    ]
    assert np.mean(np.array(shuffled) >= found.above) == pytest.approx(found.p_value, abs=0.02)


def test_lower_or_equal_scores_are_no_drift():
    rng = np.random.default_rng(2)
    assert not compare(rng.normal(5, 1, REFERENCE), rng.normal(4, 1, WINDOW)).is_drift
    same = compare(np.ones(REFERENCE), np.ones(WINDOW))
    assert (same.p_value, same.above) == (1.0, 0.5)


@pytest.mark.parametrize(("count", "windows"), [(0, 0), (299, 0), (300, 1), (399, 1), (400, 2)])
def test_only_whole_windows_count(count, windows):
    assert windows_of(count) == windows
    assert len(compare_windows(np.arange(REFERENCE), list(range(max(0, count - REFERENCE))))) == windows


def test_each_window_has_its_share_of_the_false_alarms():
    assert pytest.approx(ALARM) == LEVEL * HORIZON / WINDOW


def test_the_moving_average_is_that_of_a_loop_and_its_limits_are_three_sigma():
    rng = np.random.default_rng(3)
    reference, scores = rng.lognormal(1, 0.2, 200), rng.lognormal(1.1, 0.2, 50)
    floor = np.quantile(reference, 0.05)
    logs = np.log(np.maximum(reference, floor))
    average, wanted = logs.mean(), []
    for score in scores:
        average = WEIGHT * np.log(max(score, floor)) + (1 - WEIGHT) * average
        wanted.append(np.exp(average))
    chart = control_chart(reference, scores)
    np.testing.assert_allclose(chart.average, wanted)
    width = LIMIT * logs.std(ddof=1) * np.sqrt(WEIGHT / (2 - WEIGHT))
    assert (chart.lower, chart.upper) == pytest.approx(
        (np.exp(logs.mean() - width), np.exp(logs.mean() + width))
    )


def test_the_moving_average_leaves_its_limits_seldom_without_drift_and_soon_with_it():
    rng = np.random.default_rng(4)
    outside, late = 0.0, []
    for _ in range(200):
        reference = rng.lognormal(1, 0.3, REFERENCE)
        calm = control_chart(reference, rng.lognormal(1, 0.3, HORIZON))
        outside += float(np.mean((calm.average > calm.upper) | (calm.average < calm.lower))) / 200
        risen = control_chart(reference, rng.lognormal(1.15, 0.3, HORIZON))
        late.append(int(np.argmax(risen.average > risen.upper)))
    assert outside < 0.05 and np.median(late) < WINDOW


def test_without_a_spread_there_is_no_chart():
    assert control_chart(np.ones(10), [1.0]) is None
    assert control_chart(np.zeros(10), [1.0]) is None
