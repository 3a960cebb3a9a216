import numpy as np
import pytest

from patchcore.statistics.histogram import Tally, common_shift, key_scores, order_keys, together


def test_keys_are_in_the_order_of_the_scores():
    scores = np.array([-np.inf, -3.5, -1e-30, 0.0, 1e-40, 1.0, 1.0000001, 7.0, np.inf], np.float32)
    keys = order_keys(scores)
    assert np.all(np.diff(keys.astype(np.int64)) > 0)
    assert np.array_equal(key_scores(keys), scores.astype(np.float64))
    assert order_keys(np.array([-0.0], np.float32)) == order_keys(np.array([0.0], np.float32))


@pytest.mark.parametrize("pending", [1, 50, 10_000])
def test_counts_and_weights_are_exact_while_they_fit(pending):
    rng = np.random.default_rng(0)
    tally = Tally(pending=pending)
    parts = [rng.integers(-20, 20, 100).astype(np.float32) for _ in range(9)]
    weights = [rng.random(100) for _ in range(9)]
    for part, weight in zip(parts, weights, strict=True):
        tally.add(part, weight)
    every, weight = np.concatenate(parts), np.concatenate(weights)
    counts = tally.at(0)
    assert tally.shift == 0 and tally.total == 900
    assert np.array_equal(key_scores(counts.keys), np.unique(every))
    assert np.array_equal(counts.counts, np.unique(every, return_counts=True)[1])
    expected = [weight[every == value].sum() for value in np.unique(every)]
    assert counts.weights == pytest.approx(expected, rel=1e-12)


def test_memory_stays_bounded_and_nothing_is_lost():
    rng = np.random.default_rng(1)
    tally = Tally(limit=500, pending=2000)
    scores = rng.lognormal(size=30_000).astype(np.float32)
    for part in np.split(scores, 30):
        tally.add(part)
    tally.settle()
    counts = tally.at(tally.shift)
    assert tally.shift > 0 and 250 <= counts.keys.size <= 500
    assert counts.counts.sum() == 30_000
    assert np.array_equal(counts.keys, np.unique(order_keys(scores) >> np.uint32(tally.shift)))


def test_tallies_of_different_steps_add_up():
    fine, coarse = Tally(), Tally(limit=10)
    scores = np.linspace(1, 2, 100).astype(np.float32)
    fine.add(scores)
    coarse.add(scores)
    shift = common_shift([fine, coarse])
    assert shift == coarse.shift > 0
    both = together([fine, coarse], shift)
    assert np.array_equal(both.counts, 2 * coarse.at(shift).counts)
    assert together([], 0).keys.size == common_shift([]) == 0
