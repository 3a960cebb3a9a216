"""Typical patches and their distances, against every pair compared by hand."""

import numpy as np
import pytest

from patchcore.plausibility.typical_patches import ANYWHERE, TypicalPatches, placed_patches, places

GRID = (4, 5)


@pytest.fixture
def patches():
    draw = np.random.default_rng(0)
    cells = np.array([ANYWHERE, 0, ANYWHERE, 7, 19], np.int32)
    return TypicalPatches(draw.random((5, 6), np.float32), np.zeros(5, np.int32), cells, GRID)


def by_hand(patches, features, inspected):
    numbered = {tuple(at): features[i] for i, at in enumerate(np.argwhere(inspected).tolist())}
    found = []
    for patch, cell in zip(patches.features, patches.cells, strict=True):
        row, col = divmod(int(cell), GRID[1])
        beside = [
            np.linalg.norm(patch.astype(np.float64) - one)
            for (r, c), one in numbered.items()
            if cell == ANYWHERE or (abs(r - row) <= 1 and abs(c - col) <= 1)
        ]
        found.append(min(beside, default=np.inf))
    return found


@pytest.mark.parametrize("hidden", [[], [0, 1, 5, 6], list(range(1, 20))])
def test_distances_equal_every_pair_by_hand(patches, hidden):
    inspected = np.ones(GRID, bool)
    inspected.flat[hidden] = False
    features = np.random.default_rng(1).random((int(inspected.sum()), 6), np.float32)
    assert patches.distances(features, inspected) == pytest.approx(by_hand(patches, features, inspected))


@pytest.mark.parametrize(("grid", "count"), [((28, 28), 49), ((3, 9), 21), ((1, 1), 1)])
def test_places_lie_evenly_on_the_map(grid, count):
    cells = places(grid)
    assert len(set(cells.tolist())) == count and cells.min() >= 0 and cells.max() < grid[0] * grid[1]


def test_the_patch_of_a_place_is_the_one_nearest_to_the_mean():
    at_places = np.array(
        [[[0.0], [5]], [[4], [np.nan]], [[5], [np.nan]]], np.float32
    )  # [images, cells, dims]
    features, images, cells = placed_patches(np.array([3, 8], np.int32), [10, 11, 12], at_places)
    assert features.tolist() == [[4]] and images.tolist() == [11] and cells.tolist() == [3]
