"""The distance of two patches and the bound below it."""

import numpy as np
import pytest

from patchcore.kernels.distances import any_within, bounds, square_distance
from tests.patchcore.adversarial import KINDS, features


@pytest.mark.parametrize("dims", [1, 7, 8, 9, 192, 1031])
def test_square_equals_double_precision(dims):
    a, b = features("random", 2, dims)
    exact = np.sum((a.astype(np.float64) - b) ** 2)
    assert square_distance(a, b) == pytest.approx(exact, rel=1e-13)
    assert square_distance(a, b) == square_distance(b, a)
    assert square_distance(a, a) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", [1, 24, 400])
def test_the_bound_is_never_above_the_square(kind, dims):
    both = features(kind, 60, dims)
    queries, rows = both[:30], both[10:]
    with np.errstate(over="ignore", invalid="ignore"):
        low = bounds(queries)[:, None] + bounds(rows) - 2 * (queries @ rows.T)
    squares = np.array([[square_distance(q, r) for r in rows] for q in queries])
    assert not (low > squares).any()


def test_the_bound_is_close_where_numbers_are_ordinary():
    queries, rows = features("random", 10, 192), features("random", 20, 192, seed=1)
    low = bounds(queries)[:, None] + bounds(rows) - 2 * (queries @ rows.T)
    squares = np.array([[square_distance(q, r) for r in rows] for q in queries])
    assert np.max(squares - low) < 2e-4 * squares.min()


def test_nan_counts_as_possibly_near():
    one = np.ones(3, np.float32)
    assert not any_within(one, one * 5, np.float32(1))
    assert any_within(one, np.array([5, 5, 2], np.float32), np.float32(0))
    assert any_within(np.array([1, np.nan, 1], np.float32), one * 5, np.float32(1))


@pytest.mark.parametrize("dims", [1, 7, 8, 9, 31, 64, 1024])
def test_sum_has_the_documented_order(dims):
    a, b = np.random.default_rng(dims).standard_normal((2, dims)).astype(np.float32)
    sums = [0.0] * 8
    for place in range(dims):
        apart = float(a[place]) - float(b[place])
        sums[place % 8 if place < dims - dims % 8 else 0] += apart * apart
    pairs = [sums[lane] + sums[lane + 4] for lane in range(4)]
    assert square_distance(a, b) == (pairs[0] + pairs[2]) + (pairs[1] + pairs[3])
