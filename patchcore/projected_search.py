"""Exact search for the single nearest row, by few coordinates first: most rows are passed over without being read.

Along the axes in which the rows differ most, a few dozen coordinates hold nearly all of a distance; what they leave out
of a vector has a length, and two vectors are at least as far apart as these lengths differ. So coordinates and length
together are a shorter vector whose distances never exceed the true ones. The rows lie in groups of like ones. Products
by the first axes alone say which groups may hold the nearest row; products by all of the axes say which rows of these
groups may be it. Those rows are measured by `distances.square_distance`, so that the search finds what measuring all
rows finds.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.distances import bounds, compiled, in_any_order, square_distance
from patchcore.products import product, tensor

AXES = (
    14,
    30,
    62,
)  # with the length of the rest and the bound 16, 32 or 64 numbers: the fewest that hold enough
FEW = AXES[0]  # by which groups of rows are passed over, before the others are looked at
HELD = 0.99  # of the rows' variance, by the axes taken; more of them cost more than they rule out
ROWS_AT_ONCE = 512  # of the bank; with an image's queries their products stay in the cache
LANES = 64
SAMPLE = 1024  # rows that tell the axes
SMALLEST_BANK, SMALLEST_DIMS = 2048, 128  # below, the search by whole products is as quick
ALONE = 1024  # queries up to which one thread does it: starting another takes as long
# Rounding short vectors, and the length of the rest found as a difference of squares, move them by at most 1.1e-6 of
# the whole length (1.2e-6 where the rest is put together from coordinates); that moves the square of a distance by at
# most 4.8e-6 of the sum of both squares: 80 roundings. Products that are summed onto the row's bound round it at every
# step: 64 more.
SPARE = 160


@dataclass(frozen=True)
class ShortRows:
    """The rows of a bank as short vectors.

    Attributes
    ----------
    centre, axes
        [dims] and [dims, A] float64, orthonormal columns.
    short
        [R, A + 1] float32: coordinates of the rows along the axes, and the length of the rest.
    bounds
        [R], :func:`patchcore.distances.bounds` of these.
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    short: NDArray[np.float32]
    bounds: NDArray[np.float32]

    @property
    def usable(self) -> bool:
        """Whether every bound is a number; lengths beyond 1e18 have none."""
        return bool(np.isfinite(self.bounds).all())

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> ShortRows:
        """Find the axes and shorten every row of [R, dims] float32."""
        sample = features[:: max(1, len(features) // SAMPLE)].astype(np.float64)
        centre = sample.mean(0)
        axes = _principal_axes(sample - centre)
        short = _shorten(features, centre, axes)
        return cls(centre, axes, short, bounds(short, SPARE))

    def rows(self, chosen: slice | NDArray[np.bool_]) -> ShortRows:
        """Return some of the rows."""
        return ShortRows(self.centre, self.axes, self.short[chosen], self.bounds[chosen])

    def shorten(self, queries: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Shorten queries [Q, dims]: the short vectors [Q, A + 1] and their bounds [Q]."""
        short = _shorten(queries, self.centre, self.axes)
        return short, bounds(short, SPARE)

    def nearest(
        self, queries: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Give distances [Q, 1] and rows [Q, 1] as `RunningSearch` does.

        Parameters
        ----------
        queries
            [Q, dims] float32.
        features
            [R, dims] float32, the rows themselves.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        short, query_bounds = self.shorten(queries)
        few = _fewer(short)
        few_bounds, lowest = bounds(few, SPARE), self._lowest_of_lanes(few)
        squares, rows = np.full((len(queries), 1), np.inf), np.full((len(queries), 1), -1, np.int64)
        row_bounds = self.bounds[self._order]

        def measure(part: slice) -> None:
            _measure(
                queries[part],
                features,
                short[part],
                self._tiles,
                self._order,
                query_bounds[part],
                row_bounds,
                few_bounds[part],
                lowest[part],
                squares[part],
                rows[part],
            )

        in_threads(measure, len(queries))
        return np.sqrt(squares).astype(np.float32), rows

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """[R] numbers of the rows, like beside like, so that what may be nearest lies in few groups of LANES."""
        return _alike(self.short)

    @cached_property
    def _bounded(self) -> torch.Tensor:
        """[R, FEW + 2] the rows in that order by the first axes alone, and their bounds beside them."""
        few = _fewer(self.short[self._order])
        return torch.column_stack([tensor(few), tensor(bounds(few, SPARE))])

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        """[groups, A + 1, LANES] the short rows in that order, LANES side by side; zeros after the last."""
        groups = -(-len(self.short) // LANES)
        padded = np.zeros((groups * LANES, self.short.shape[1]), np.float32)
        padded[: len(self.short)] = self.short[self._order]
        return np.ascontiguousarray(padded.reshape(groups, LANES, -1).transpose(0, 2, 1))

    def _lowest_of_lanes(self, few: NDArray[np.float32]) -> NDArray[np.float32]:
        """Find for each query [Q, FEW + 1] the lowest bound among each LANES rows, less its own: [Q, groups]."""
        count = len(self.short)
        # a product with the row's bound beside it is the pair's
        queries = torch.nn.functional.pad(-2 * tensor(few), (0, 1), value=1.0)
        rows = self._bounded
        lowest = torch.empty(len(few), -(-count // LANES))
        space = torch.empty(len(few), min(count, ROWS_AT_ONCE))
        for start in range(0, count, ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            low = torch.mm(queries, part.T, out=space[:, : len(part)])
            first, whole = start // LANES, low.shape[1] // LANES
            lowest[:, first : first + whole] = low[:, : whole * LANES].view(len(low), whole, LANES).amin(2)
            if low.shape[1] % LANES:
                lowest[:, first + whole] = low[:, whole * LANES :].amin(1)
        found: NDArray[np.float32] = lowest.numpy()
        return found


def in_threads(work: Callable[[slice], None], count: int) -> None:
    """Share out `count` queries among the threads; few of them stay with one."""
    threads = get_num_threads() if count > ALONE else 1
    ends = [i * count // threads for i in range(threads + 1)]
    parts = [slice(start, end) for start, end in pairwise(ends)]
    if threads == 1:
        work(parts[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, parts))


@in_any_order
def _less_products(query, tile, lows):  # type: ignore[no-untyped-def]
    """Take twice the products of a query with LANES rows from their bounds."""
    for axis in range(query.shape[0]):
        twice = np.float32(2) * query[axis]
        for lane in range(LANES):
            lows[lane] -= twice * tile[axis, lane]


@compiled
def _measure(  # type: ignore[no-untyped-def]
    queries, features, short, tiles, order, query_bounds, row_bounds, few_bounds, lowest, squares, rows
):
    """Measure for each query the rows that may be the nearest; of equals the first counts."""
    total, lows = features.shape[0], np.zeros(LANES, np.float32)
    for i in range(queries.shape[0]):
        likely = int(np.argmin(lowest[i]))
        first, count = likely * LANES, min(LANES, total - likely * LANES)
        lows[:count] = row_bounds[first : first + count]
        _less_products(short[i], tiles[likely], lows)
        guess = first + int(np.argmin(lows[:count]))
        row = order[guess]
        nearest = square_distance(queries[i], features[row])
        limit, few_limit = np.float32(nearest - query_bounds[i]), np.float32(nearest - few_bounds[i])
        for group in range(lowest.shape[1]):
            if lowest[i, group] > few_limit:
                continue
            first, count = group * LANES, min(LANES, total - group * LANES)
            lows[:count] = row_bounds[first : first + count]
            _less_products(short[i], tiles[group], lows)
            for j in range(first, first + count):
                if j == guess or lows[j - first] > limit:
                    continue
                square = square_distance(queries[i], features[order[j]])
                if square < nearest or (square == nearest and order[j] < row):
                    nearest, row = square, order[j]
                    limit = min(limit, np.float32(square - query_bounds[i]))
                    few_limit = min(few_limit, np.float32(square - few_bounds[i]))
        squares[i, 0], rows[i, 0] = nearest, row


def _fewer(short: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shorten short vectors [N, A + 1] once more, to the first FEW axes and the length of the rest."""
    if short.shape[1] <= FEW + 1:
        return short
    few = np.empty((len(short), FEW + 1), np.float32)
    few[:, :FEW] = short[:, :FEW]
    few[:, FEW] = np.linalg.norm(short[:, FEW:].astype(np.float64), axis=1)
    return few


def _alike(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """Order points [N, D] by halving them along the axis in which they differ most, until LANES are left."""
    order, parts = np.arange(len(points)), [(0, len(points))]
    while parts:
        first, last = parts.pop()
        groups = -(-(last - first) // LANES)
        if groups < 2:
            continue
        here = order[first:last]
        widest = points[here].var(0).argmax()
        half = groups // 2 * LANES
        order[first:last] = here[np.argpartition(points[here, widest], half)]
        parts += [(first, first + half), (first + half, last)]
    return order


def _principal_axes(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal axes [dims, A] that hold most of the rows, by subspace iteration (Halko et al. 2011)."""
    axes = np.random.default_rng(0).standard_normal((centred.shape[1], min(AXES[-1], centred.shape[1])))
    for _ in range(3):
        axes, _ = np.linalg.qr(product(np.ascontiguousarray(centred.T), product(centred, axes)))
    along = product(centred, axes)
    variances, turned = np.linalg.eigh(product(along.T, along))  # ascending
    axes = product(axes, turned[:, ::-1].copy())
    held = np.cumsum(variances[::-1]) / max((centred**2).sum(), np.finfo(float).tiny)
    enough = next((count for count in AXES if count <= len(held) and held[count - 1] >= HELD), AXES[-1])
    return np.ascontiguousarray(axes[:, :enough])


def _shorten(
    vectors: NDArray[np.float32], centre: NDArray[np.float64], axes: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Coordinates along the axes, and the length of the rest: [N, dims] -> [N, A + 1]."""
    short = np.empty((len(vectors), axes.shape[1] + 1), np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        centred = tensor(vectors[part]).double().sub_(tensor(centre))
        along = centred @ tensor(axes)
        rest = torch.linalg.vector_norm(centred, dim=1).square() - along.square().sum(1)
        short[part, :-1], short[part, -1] = along.numpy(), rest.clamp(min=0).sqrt().numpy()
    return short
