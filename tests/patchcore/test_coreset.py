"""The greedy order against the plain algorithm."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from patchcore.coreset import coreset_size, greedy_k_centre, projection_matrix
from patchcore.errors import Cancelled, DataError, SettingsError
from patchcore.kernels import greedy_picking
from tests.patchcore.greedy import greedy_order


def plain_greedy(points, count, seed):
    """Algorithm 1 of the paper, word for word, in double precision."""
    points = points.astype(np.float64)
    nearest = np.full(len(points), np.inf)
    pick = int(np.random.default_rng(seed).integers(len(points)))
    picks, radii = [], []
    for _ in range(count):
        radii.append(np.sqrt(nearest.max()))
        picks.append(pick)
        nearest = np.minimum(nearest, ((points - points[pick]) ** 2).sum(1))
        nearest[picks] = -1
        pick = int(nearest.argmax())
    return np.array(picks), np.array(radii)


@pytest.mark.parametrize(
    ("rows", "dims", "count"), [(1000, 128, 300), (500, 20, 500), (300, 3, 100), (50, 1, 50)]
)
def test_picks_and_radii_equal_the_plain_algorithm(rows, dims, count):
    points = np.random.default_rng(0).standard_normal((rows, dims)).astype(np.float32)
    order = greedy_k_centre(points, count, seed=5)
    picks, radii = plain_greedy(points, count, 5)
    assert_array_equal(order.indices, picks)
    assert_allclose(order.radii, radii, rtol=1e-4)
    assert sorted(set(order.indices)) == sorted(order.indices)


def pick_in_many_rounds(monkeypatch):
    """Make rounds so small that a few hundred points need many, with two threads."""
    for name, value in (("FARTHEST", 20), ("SAMPLE", 50), ("AT_ONCE", 7), ("ALONE", 0)):
        monkeypatch.setattr(greedy_picking, name, value)
    monkeypatch.setattr(greedy_picking, "get_num_threads", lambda: 2)


def grid(rows, dims, sides, seed=0):
    """Points with few different coordinates: nearly every pick is a tie, and every distance is exact."""
    return np.random.default_rng(seed).integers(0, sides, (rows, dims)).astype(np.float32)


@pytest.mark.parametrize(
    "points",
    [
        np.random.default_rng(6).standard_normal((700, 30)).astype(np.float32),
        grid(700, 3, 4),  # more rows than different ones
        grid(700, 40, 3),
        grid(600, 5, 3) * np.float32(2**40) + np.float32(2**60),
        grid(600, 5, 3) * np.float32(2**70),
        np.repeat(grid(90, 2, 9), 7, axis=0) * np.float32(2**-70),
        np.concatenate([grid(500, 20, 3), np.full((3, 20), 2.0**23, np.float32)]),  # three far away
    ],
    ids=["gaussian", "repeats", "ties", "large", "squares beyond float32", "tiny", "outliers"],
)
def test_picks_of_many_rounds_equal_the_plain_algorithm(points, monkeypatch):
    pick_in_many_rounds(monkeypatch)
    order = greedy_k_centre(points, len(points) - 20, seed=3)
    picks, radii = plain_greedy(points, len(points) - 20, 3)
    assert_array_equal(order.indices, picks)
    assert_array_equal(order.radii, radii.astype(np.float32))


def test_neighbouring_floats_are_told_apart(monkeypatch):
    pick_in_many_rounds(monkeypatch)
    steps = np.random.default_rng(8).integers(0, 40, (400, 6))
    points = (np.float32(1) + steps.astype(np.float32) * np.float32(2**-23)).astype(np.float32)
    assert_array_equal(greedy_k_centre(points, 300).indices, plain_greedy(points, 300, 0)[0])


def test_memory_beyond_the_points_is_a_fraction_of_them():
    points = np.random.default_rng(10).standard_normal((60_000, 128)).astype(np.float32)
    greedy_k_centre(points, 100)  # what is allocated once is not counted
    tracemalloc.start()
    greedy_k_centre(points, 200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.4 * points.nbytes  # 0.16 of them, and the sample that the axes are found on


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_infinite_and_nan_features_are_refused(value):
    points = np.random.default_rng(11).standard_normal((300, 40)).astype(np.float32)
    points[17] = value
    with pytest.raises(DataError, match="infinite or not a number"):
        greedy_k_centre(points, 10)


def test_eight_hand_made_points():
    line = np.array([[0], [1], [2], [3], [10], [11], [20], [21]], np.float32)
    start = int(np.random.default_rng(0).integers(8))
    order = greedy_order(line, 3, seed=0)
    assert order[0] == start
    assert order[1] == (7 if line[start, 0] < 10.5 else 0)


def test_a_shorter_run_is_a_prefix_of_a_longer_one():
    points = np.random.default_rng(1).standard_normal((800, 200)).astype(np.float32)
    assert_array_equal(greedy_order(points, 300, seed=2)[:40], greedy_order(points, 40, seed=2))


def test_equal_rows_are_each_picked_once_lowest_first():
    order = greedy_order(np.ones((6, 5), np.float32), 6, seed=0)
    assert_array_equal(np.sort(order), np.arange(6))
    assert_array_equal(order[1:], np.sort(order[1:]))


def test_the_same_seed_gives_the_same_order_and_another_seed_another():
    points = np.random.default_rng(2).standard_normal((400, 160)).astype(np.float32)
    assert_array_equal(greedy_order(points, 50, seed=1), greedy_order(points, 50, seed=1))
    assert (greedy_order(points, 50, seed=1) != greedy_order(points, 50, seed=2)).any()


def test_the_cover_radius_is_at_most_twice_the_best_possible():
    points = np.random.default_rng(3).uniform(size=(9, 2)).astype(np.float32)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    best = min(distances[:, [a, b]].min(1).max() for a in range(9) for b in range(a))
    picks = greedy_k_centre(points, 2).indices
    assert distances[:, picks].min(1).max() <= 2 * best + 1e-6


def test_the_projection_keeps_distances_on_average():
    matrix = projection_matrix(1024, 0)
    differences = np.random.default_rng(4).standard_normal((500, 1024)).astype(np.float32)
    ratio = np.linalg.norm(differences @ matrix, axis=1) / np.linalg.norm(differences, axis=1)
    assert abs(ratio.mean() - 1) < 0.03
    assert projection_matrix(128, 0) is None


@pytest.mark.parametrize(
    ("total", "share", "size"), [(470, 0.1, 47), (784, 0.01, 7), (10, 0.001, 1), (7, 1.0, 7)]
)
def test_share_to_size(total, share, size):
    assert coreset_size(total, share) == size


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_impossible_shares_are_refused(share):
    with pytest.raises(SettingsError, match="coreset share"):
        coreset_size(10, share)


def test_more_picks_than_rows_are_refused():
    with pytest.raises(SettingsError, match="Cannot pick 4 rows out of 3"):
        greedy_order(np.zeros((3, 2), np.float32), 4)


def test_progress_and_cancel():
    points = np.random.default_rng(5).standard_normal((700, 4)).astype(np.float32)
    seen = []
    greedy_k_centre(points, 600, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
    assert seen == sorted(seen)
    with pytest.raises(Cancelled):
        greedy_k_centre(points, 600, cancelled=lambda: True)
