import math
import time

import numpy as np
import pytest

from patchcore.errors import DataError, SettingsError
from patchcore.maps.regions import Region, clearing_threshold, find_regions, pixels_in_area


def naive_regions(scores: np.ndarray, threshold: float, min_area: int) -> list[Region]:
    todo = {(int(y), int(x)) for y, x in np.argwhere(scores > threshold)}
    regions = []
    while todo:
        stack, members = [todo.pop()], []
        while stack:
            y, x = stack.pop()
            members.append((y, x))
            near = {(y + j, x + i) for j in (-1, 0, 1) for i in (-1, 0, 1)} & todo
            todo -= near
            stack += near
        ys, xs = np.array(members).T
        if len(members) >= min_area:
            box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
            regions.append(Region(len(members), box, float(scores[ys, xs].max()), (xs.mean(), ys.mean())))
    return sorted(regions, key=lambda region: (-region.score, -region.area, region.box))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("min_area", [1, 4])
def test_equals_a_flood_fill(seed, min_area):
    scores = np.random.default_rng(seed).random((23, 31)).astype(np.float32)
    found = find_regions(scores, 0.72, min_area)
    expected = naive_regions(scores, 0.72, min_area)
    assert len(found) == len(expected) > 1
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.area, ours.box, ours.score) == (theirs.area, theirs.box, theirs.score)
        assert ours.centroid == pytest.approx(theirs.centroid, abs=1e-9)


def test_two_regions_by_hand():
    scores = np.zeros((5, 8), np.float32)
    scores[0, 0], scores[1, 1] = 4, 6  # touch at a corner: one region
    scores[3:5, 6:8] = 5  # at the edge of the map
    scores[0, 5] = 3  # at the threshold: not above
    assert find_regions(scores, 3.0) == [
        Region(2, (0, 0, 2, 2), 6.0, (0.5, 0.5)),
        Region(4, (6, 3, 8, 5), 5.0, (6.5, 3.5)),
    ]
    assert [region.area for region in find_regions(scores, 3.0, min_area=3)] == [4]
    assert find_regions(scores, 3.0)[0].to_dict()["box"] == [0, 0, 2, 2]


def test_nothing_above_and_nan():
    assert find_regions(np.zeros((4, 4), np.float32), 0.0) == []
    assert find_regions(np.full((4, 4), np.nan, np.float32), 0.0) == []
    with pytest.raises(DataError, match="rows and columns"):
        find_regions(np.zeros(4, np.float32), 0.0)


@pytest.mark.parametrize("min_area", [1, 2, 7, 40])
def test_clearing_threshold_is_the_lowest_that_clears(min_area):
    scores = np.random.default_rng(3).integers(0, 40, (12, 12)).astype(np.float32)
    clear = clearing_threshold(scores, min_area)
    assert find_regions(scores, clear, min_area) == []
    assert find_regions(scores, np.nextafter(np.float32(clear), np.float32(-1)), min_area) != []


def test_a_region_below_many_separate_peaks_is_found():
    scores = np.zeros((40, 40), np.float32)
    scores[::2, ::2] = np.arange(400, 0, -1).reshape(20, 20)  # no two of them touch
    scores[21, 21] = 0.5  # joins four of them
    assert clearing_threshold(scores, 2) == 0.5
    assert clearing_threshold(scores, 6) == 0.0


def test_clearing_threshold_at_the_ends():
    flat = np.full((3, 3), 2.0, np.float32)
    assert clearing_threshold(flat) == clearing_threshold(flat, 9) == 2.0
    assert clearing_threshold(flat, 10) == -math.inf
    assert clearing_threshold(np.full((2, 2), np.nan, np.float32)) == -math.inf


def test_pixels_in_area():
    assert pixels_in_area(1.0, 0.1) == 100
    assert pixels_in_area(0.25, 0.2) == 7
    assert pixels_in_area(0.0, 0.2) == 1
    with pytest.raises(SettingsError, match="mm per pixel"):
        pixels_in_area(1.0, 0.0)
    with pytest.raises(SettingsError, match="mm²"):
        pixels_in_area(-1.0, 0.1)


def test_many_maps_are_quick():
    scores = np.random.default_rng(0).random((224, 224)).astype(np.float32)
    start = time.perf_counter()
    for _ in range(20):
        find_regions(scores, 0.9, min_area=3)
    assert time.perf_counter() - start < 2.0
