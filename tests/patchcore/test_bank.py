"""The memory bank: exact search, provenance, prefixes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from patchcore.bank import MemoryBank
from patchcore.errors import SettingsError


@pytest.fixture
def bank():
    features = np.random.default_rng(0).standard_normal((60, 24)).astype(np.float32)
    images = np.repeat(np.arange(6, dtype=np.int32), 10)
    return MemoryBank(features, images, np.tile(np.arange(10, dtype=np.int32), 6), total_patches=600)


def naive_distances(queries, features):
    return np.sqrt(((queries[:, None].astype(np.float64) - features[None]) ** 2).sum(2))


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("queries", [1, 7, 200])
def test_search_equals_the_naive_one(bank, k, queries):
    points = np.random.default_rng(1).standard_normal((queries, 24)).astype(np.float32)
    found = bank.nearest(points, k)
    naive = naive_distances(points, bank.features)
    assert_allclose(found.distances, np.sort(naive, 1)[:, :k], rtol=1e-5)
    assert_array_equal(found.rows, np.argsort(naive, 1)[:, :k])


def test_a_row_of_the_bank_is_at_distance_exactly_zero(bank):
    far = MemoryBank(
        bank.features + 100, bank.images, bank.positions, 600
    )  # where the expanded square cancels
    found = far.nearest(far.features)
    assert_array_equal(found.distances, np.zeros((60, 1)))
    assert_array_equal(found.rows[:, 0], np.arange(60))


def test_more_neighbours_than_rows(bank):
    assert bank.prefix(0.005).nearest(bank.features, k=9).rows.shape == (60, 3)


def test_a_prefix_is_a_view_of_the_first_rows(bank):
    small = bank.prefix(0.05)
    assert len(small) == 30
    assert np.shares_memory(small.features, bank.features)
    assert_array_equal(small.images, bank.images[:30])
    assert small.share == pytest.approx(0.05)


def test_a_larger_share_than_built_is_refused(bank):
    with pytest.raises(SettingsError, match="needs a rebuild"):
        bank.prefix(0.5)


def test_removing_images_leaves_the_others_in_order(bank):
    rest = bank.without_images({0, 3})
    assert set(rest.images) == {1, 2, 4, 5}
    assert_array_equal(rest.features, bank.features[np.isin(bank.images, [1, 2, 4, 5])])
