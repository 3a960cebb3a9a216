"""The search by short vectors against measuring every pair, bit for bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import bank as bank_module
from patchcore.bank import MemoryBank
from patchcore.kernels import projected_search
from patchcore.kernels.distances import bounds, square_distance
from patchcore.kernels.projected_search import SPARE, ShortRows
from patchcore.kernels.search import RunningSearch
from patchcore.leave_one_out import score_good_images
from tests.patchcore.adversarial import KINDS, features


def set_of(kind, dims):
    both = features(kind, 700, dims)
    return both[:160], both[30:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dims", "axes"), [(3, 63), (24, 5), (200, 20)])
def test_nearest_equals_the_search_by_whole_products(kind, dims, axes, monkeypatch):
    monkeypatch.setattr(projected_search, "AXES", (axes,))
    monkeypatch.setattr(projected_search, "ROWS_AT_ONCE", 192)
    queries, rows = set_of(kind, dims)
    whole = RunningSearch(queries)
    with np.errstate(over="ignore", invalid="ignore"):
        whole.add(rows)
        short = ShortRows.of(rows)
    assert short.usable == (kind != "huge")
    if short.usable:
        distances, found = short.nearest(queries, rows)
        assert_array_equal(distances, whole.distances)
        assert_array_equal(found, whole.rows)


@pytest.mark.parametrize("kind", ["random", "near_ties", "large_norms", "one_dim"])
def test_short_vectors_are_never_farther_apart_than_the_rows(kind):
    queries, rows = set_of(kind, 100)
    short = ShortRows.of(rows)
    own, own_bounds = short.shorten(queries)
    low = own_bounds[:, None] + short.bounds - np.float32(2) * own @ short.short.T
    true = np.array([[square_distance(q, r) for r in rows[:50]] for q in queries])
    assert (low[:, :50] <= true).all()
    if kind == "random":  # and not by much where many axes hold much of it
        assert (low[:, :50] > 0.5 * true).mean() > 0.9


@pytest.mark.parametrize("kind", ["random", "near_ties", "large_norms", "one_dim"])
def test_first_axes_alone_never_overestimate_a_distance(kind):
    queries, rows = set_of(kind, 200)
    short = ShortRows.of(rows)
    own, fewer = (projected_search._fewer(part) for part in (short.shorten(queries)[0], short.short))
    assert own.shape[1] == projected_search.FEW + 1
    low = bounds(own, SPARE)[:, None] + bounds(fewer, SPARE) - np.float32(2) * own @ fewer.T
    true = np.array([[square_distance(q, r) for r in rows[:50]] for q in queries])
    assert (low[:, :50] <= true).all()


@pytest.mark.parametrize("kind", ["random", "near_ties", "large_norms", "one_dim"])
def test_a_box_is_never_farther_than_the_nearest_row_in_it(kind):
    queries, rows = set_of(kind, 200)
    short = ShortRows.of(rows)
    groups, own = short._groups, projected_search._fewer(short.shorten(queries)[0])
    allowed = projected_search._allowances(own, bounds(own, SPARE))
    found = np.zeros(groups.low.shape[1], np.float32)
    for query, few, spare in zip(queries[:40], own[:40], allowed[:40], strict=True):
        projected_search._box_squares(few, groups.low, groups.high, found)
        true = np.array([square_distance(query, row) for row in rows[groups.order]])
        assert (found - groups.allowances - spare <= np.minimum.reduceat(true, range(0, len(rows), 64))).all()


@pytest.mark.parametrize("count", [0, 1, 64, 65, 1000])
def test_groups_of_like_rows_hold_each_row_once(count):
    points = np.random.default_rng(0).standard_normal((count, 5)).astype(np.float32) * (9, 1, 1, 1, 1)
    order = projected_search._alike(points)
    assert sorted(order.tolist()) == list(range(count))
    if count == 1000:  # sixteen groups along the axis in which they differ most
        spans = [np.ptp(points[order[start : start + 64], 0]) for start in range(0, 1000, 64)]
        assert np.median(spans) < np.ptp(points[:, 0]) / 4


@pytest.mark.parametrize("count", [1, 63, 64, 65, 191, 192, 193, 255, 256, 257, 384, 400])
@pytest.mark.parametrize("asked", [0, 1, 50])
def test_every_number_of_rows_and_queries(count, asked, monkeypatch):
    monkeypatch.setattr(projected_search, "ROWS_AT_ONCE", 192)
    both = np.random.default_rng(0).standard_normal((asked + count, 30)).astype(np.float32)
    queries, rows = both[:asked], both[asked:]
    whole = RunningSearch(queries)
    whole.add(rows)
    distances, found = ShortRows.of(rows).nearest(queries, rows)
    assert_array_equal(distances, whole.distances)
    assert_array_equal(found, whole.rows)


@pytest.mark.parametrize(("spread", "axes"), [(5, 14), (25, 30), (200, 62)])
def test_as_many_axes_as_hold_nearly_all_of_the_rows(spread, axes):
    scale = np.where(np.arange(200) < spread, 1, 0.01).astype(np.float32)
    rows = np.random.default_rng(0).standard_normal((3000, 200)).astype(np.float32) * scale
    found = ShortRows.of(rows).axes
    assert found.shape == (200, axes)
    assert np.allclose(found.T @ found, np.eye(axes))


@pytest.fixture
def large(monkeypatch):
    """A bank that takes the short way; and the same one that does not."""
    rows = np.random.default_rng(1).standard_normal((400, 40)).astype(np.float32)
    images = np.random.default_rng(2).integers(0, 8, 400).astype(np.int32)

    def make():
        return MemoryBank(rows, images, np.arange(400, dtype=np.int32), 4000)

    plain = make()
    assert plain.short is None
    monkeypatch.setattr(bank_module, "SMALLEST_BANK", 50)
    monkeypatch.setattr(bank_module, "SMALLEST_DIMS", 2)
    monkeypatch.setattr(projected_search, "AXES", (8,))
    return make(), plain


def test_parts_of_a_bank_reuse_the_short_vectors_of_the_whole(large):
    bank, plain = large
    queries = np.random.default_rng(3).standard_normal((30, 40)).astype(np.float32)
    assert bank.short is not None
    for part, twin in (
        (bank.prefix(0.05), plain.prefix(0.05)),
        (bank.without_images({1, 5}), plain.without_images({1, 5})),
    ):
        assert part.short.axes is bank.short.axes
        assert_array_equal(part.nearest(queries).distances, twin.nearest(queries).distances)
        assert_array_equal(part.nearest(queries).rows, twin.nearest(queries).rows)


def test_leave_one_out_is_the_same_with_and_without_short_vectors(large):
    bank, plain = large
    patches = [
        (image, np.random.default_rng(image).standard_normal((20, 40)).astype(np.float32))
        for image in range(8)
    ]
    short, whole = score_good_images(bank, patches), score_good_images(plain, patches)
    for name in ("offsets", "sizes", "values", "cover_radius", "images"):
        assert_array_equal(getattr(short, name), getattr(whole, name))
