"""Gaussians at many places against sums written out, and against summing up without a vector."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore.kernels.gaussians import TOGETHER, Gaussians, nearest_known

PLACES, DIMS, RIDGE = 3, 5, 0.01


def summed(vectors, ridge=RIDGE):
    """From [parts, places, dims], every place in every part."""
    return Gaussians.of(
        lambda: ((part, np.arange(PLACES)) for part in vectors), PLACES, vectors.shape[2], ridge
    )


@pytest.mark.parametrize("parts", [2, 3, TOGETHER, TOGETHER + 1])
def test_means_and_covariances_equal_numpys(parts):
    vectors = np.random.default_rng(parts).standard_normal((parts, PLACES, DIMS)) * 100
    found = summed(vectors)
    lower = np.tril_indices(DIMS)
    assert_array_equal(found.counts, parts)
    for place in range(PLACES):
        assert found.means[place] == pytest.approx(vectors[:, place].mean(0))
        assert found.covariances[place] == pytest.approx(np.cov(vectors[:, place], rowvar=False)[lower])


@pytest.mark.parametrize(("parts", "scale"), [(3, 1.0), (4, 1000.0), (40, 1.0), (40, 1e-3)])
def test_distances_without_a_vector_equal_a_fit_without_it(parts, scale):
    generator = np.random.default_rng(parts)
    vectors = generator.standard_normal((parts, PLACES, DIMS)) * scale + 7 * scale
    at, others = np.arange(PLACES), generator.standard_normal((PLACES, DIMS)) * scale
    whole, rest = summed(vectors), summed(vectors[1:])
    for tested in (vectors[0], others):
        found = whole.distances_without(tested, at, vectors[0])
        assert found == pytest.approx(rest.distances(tested, at), rel=1e-7)


def test_a_part_may_leave_places_out():
    vectors = np.random.default_rng(0).standard_normal((4, PLACES, DIMS))
    parts = [(part, np.arange(PLACES)) for part in vectors[:3]] + [(vectors[3, 1:], np.arange(1, PLACES))]
    found, whole = Gaussians.of(lambda: parts, PLACES, DIMS, RIDGE), summed(vectors)
    assert_array_equal(found.counts, [3, 4, 4])
    at = np.array([2, 1, 2])
    tested = np.random.default_rng(1).standard_normal((3, DIMS))
    assert_array_equal(found.distances(tested, at), whole.distances(tested, at))
    first = summed(vectors[:3]).distances(tested[:1], at[:1] * 0)
    assert_array_equal(found.distances(tested[:1], at[:1] * 0), first)


def test_indefinite_matrix_is_not_sound():
    found = summed(np.random.default_rng(0).standard_normal((9, PLACES, DIMS)))
    assert found.sound
    spoilt = found.covariances.copy()
    spoilt[1, 1] = 1e6  # larger than its two variances allow
    assert not replace(found, covariances=spoilt).sound


def test_nearest_known_place_of_a_known_place_is_itself():
    known = np.zeros((3, 4), bool)
    known[0, 0] = known[2, 3] = True
    assert nearest_known(known).reshape(3, 4).tolist() == [[0, 0, 0, 11], [0, 0, 11, 11], [0, 11, 11, 11]]
    assert_array_equal(nearest_known(np.ones((3, 4), bool)), np.arange(12))
