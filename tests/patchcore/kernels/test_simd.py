import numpy as np
import pytest

from patchcore.kernels.distances import compiled
from patchcore.kernels.simd import LANES, lanes_within


@compiled
def within(row, tile, low, limits):
    return lanes_within(row, tile, low, limits)


@pytest.mark.parametrize("length", [1, 3, 4, 7, 31, 64])
def test_a_bit_is_set_for_each_vector_that_may_be_within_its_limit(length):
    random = np.random.default_rng(length)
    row = random.standard_normal(length).astype(np.float32)
    tile = random.standard_normal((length, LANES)).astype(np.float32)
    limits = random.standard_normal(LANES).astype(np.float32)
    bits = within(row, tile, np.float32(0.5), limits)
    plain = 0.5 + (row.astype(np.float64) @ tile.astype(np.float64)) <= limits
    assert [bool(bits >> lane & 1) for lane in range(LANES)] == list(plain)
    assert 0 < plain.sum() < LANES


def test_nan_counts_as_possibly_within():
    row, tile = np.ones(2, np.float32), np.ones((2, LANES), np.float32)
    limits = np.full(LANES, -100, np.float32)
    tile[0, 5], limits[63] = np.nan, np.nan
    assert within(row, tile, np.float32(0), limits) == 1 << 5 | 1 << 63


def test_limit_of_minus_infinity_is_never_reached():
    row, tile = np.zeros(2, np.float32), np.zeros((2, LANES), np.float32)
    assert within(row, tile, np.float32(0), np.full(LANES, -np.inf, np.float32)) == 0
