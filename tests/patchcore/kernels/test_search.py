"""Exact search against measuring every pair, bit for bit."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from patchcore import bank
from patchcore.kernels import search
from patchcore.kernels.distances import square_distance
from patchcore.kernels.search import RunningSearch, TorchSearch, nearest_by_faiss
from tests.patchcore.adversarial import KINDS, features


def every_pair(queries, rows, k):
    squares = np.array([[square_distance(q, r) for r in rows] for q in queries])
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(squares, order, 1)).astype(np.float32), order


def set_of(kind, dims):
    both = features(kind, 260, dims)
    return both[:60], both[30:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dims", "k"), [(3, 1), (24, 1), (24, 5), (200, 2)])
def test_the_search_equals_measuring_every_pair(kind, dims, k):
    queries, rows = set_of(kind, dims)
    found = RunningSearch(queries, k)
    with np.errstate(over="ignore", invalid="ignore"):
        found.add(rows)
    distances, order = every_pair(queries, rows, k)
    assert_array_equal(found.distances, distances)
    assert_array_equal(found.rows, order)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_added_piece_by_piece_give_the_same(kind, monkeypatch):
    queries, rows = set_of(kind, 24)
    monkeypatch.setattr(search, "ROWS_AT_ONCE", 70)
    found = RunningSearch(queries, 3)
    for start in range(0, len(rows), 90):
        with np.errstate(over="ignore", invalid="ignore"):
            found.add(rows[start : start + 90], start)
        distances, order = every_pair(queries, rows[: start + 90], 3)
        assert_array_equal(found.distances, distances)
        assert_array_equal(found.rows, order)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 9])
def test_the_search_with_faiss_gives_the_same(kind, k):
    queries, rows = set_of(kind, 24)
    with np.errstate(over="ignore", invalid="ignore"):
        distances, order = nearest_by_faiss(queries, rows, k)
        few = nearest_by_faiss(queries, rows[:k], k)  # all there are
    assert_array_equal(distances, every_pair(queries, rows, k)[0])
    assert_array_equal(order, every_pair(queries, rows, k)[1])
    assert_array_equal(few[1], every_pair(queries, rows[:k], k)[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 4])
def test_the_search_by_torch_gives_the_same(kind, k, monkeypatch):
    queries, rows = set_of(kind, 24)
    monkeypatch.setattr(search, "PAIRS_ON_GPU", 2000)  # a few queries at a time
    distances, order = TorchSearch(rows, torch.device("cpu")).nearest(queries, k)
    assert_array_equal(distances, every_pair(queries, rows, k)[0])
    assert_array_equal(order, every_pair(queries, rows, k)[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_the_search_on_a_gpu_gives_the_same(kind):
    queries, rows = set_of(kind, 200)
    distances, order = TorchSearch(rows, torch.device("cuda")).nearest(queries, 2)
    assert_array_equal(distances, every_pair(queries, rows, 2)[0])
    assert_array_equal(order, every_pair(queries, rows, 2)[1])


def test_a_bank_is_taken_to_a_gpu_once(monkeypatch):
    made = []

    class Counted(TorchSearch):
        def __init__(self, features, device):
            made.append(device)
            super().__init__(features, torch.device("cpu"))

    monkeypatch.setattr(bank, "TorchSearch", Counted)
    numbers = np.zeros(30, np.int32)
    rows = bank.MemoryBank(features("random", 30), numbers, numbers, 300)
    found = [rows.nearest(features("random", 5, seed=1), device="cuda") for _ in range(3)]
    assert made == [torch.device("cuda")]
    assert_array_equal(found[2].rows, rows.nearest(features("random", 5, seed=1)).rows)


def test_places_not_taken_are_infinitely_far():
    found = RunningSearch(features("random", 3), 4)
    found.add(features("random", 2))
    assert_array_equal(np.isinf(found.distances), [[False, False, True, True]] * 3)
    assert_array_equal(found.rows[:, 2:], -1)
