"""Exact search for the single nearest row, by few coordinates first: most rows are skipped without being read.

Along the axes in which the rows differ most, a few dozen coordinates hold nearly all of a distance. The rest of a
vector has a length, and two vectors are at least as far apart as these lengths differ. So coordinates and length
together are a shorter vector whose distances never exceed the true ones. Similar rows lie in groups. A group is
skipped if the box around its first coordinates is too far away, or if products by these coordinates rule out all of
its rows. In the other groups, products by all axes tell which rows may be the nearest. These rows are measured by
`distances.square_distance`, so the result equals measuring all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.kernels.distances import bounds, compiled, in_any_order, square_distance
from patchcore.kernels.matmul import product, tensor
from patchcore.kernels.simd import LANES, lanes_within

# With the length of the rest and the bound they make 16, 32 or 64 numbers; the fewest that hold enough are used.
AXES = (14, 30, 62)
FEW = AXES[0]  # axes by which groups of rows are skipped first
HELD = 0.99  # share of the rows' variance held by the axes; more axes cost more than they rule out
ROWS_AT_ONCE = 512  # rows of the bank at once; with an image's queries their products stay in the cache
SAMPLE = 1024  # rows from which the axes are computed
SMALLEST_BANK, SMALLEST_DIMS = 2048, 128  # for a smaller bank the search by whole products is as quick
ALONE = 1024  # up to this many queries one thread does the work: starting another takes as long
# Rounding short vectors, and the length of the rest found as a difference of squares, move them by at most 1.1e-6 of
# the whole length (1.2e-6 where the rest is put together from coordinates); that moves the square of a distance by at
# most 4.8e-6 of the sum of both squares: 80 roundings. Products that are summed with the row's bound round it at every
# step: 64 more. The square of the distance from a box rounds less than that.
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
        [R], :func:`patchcore.kernels.distances.bounds` of these.
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    short: NDArray[np.float32]
    bounds: NDArray[np.float32]

    @property
    def usable(self) -> bool:
        """Whether every bound is finite; lengths beyond 1e18 have no finite bound."""
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
        """Return distances [Q, 1] and rows [Q, 1] as `RunningSearch` does.

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
        few_bounds = bounds(few, SPARE)
        squares, rows = np.full((len(queries), 1), np.inf), np.full((len(queries), 1), -1, np.int64)
        groups = self._groups

        def measure(part: slice) -> None:
            _measure(
                queries[part],
                features,
                _beside_one(short[part]),
                _beside_one(few[part]),
                query_bounds[part],
                few_bounds[part],
                _allowances(few[part], few_bounds[part]),
                groups,
                squares[part],
                rows[part],
            )

        in_threads(measure, len(queries))
        return np.sqrt(squares).astype(np.float32), rows

    @cached_property
    def _groups(self) -> Groups:
        return Groups.of(self.short, self.bounds)


class Groups(NamedTuple):
    """The short rows in groups of LANES similar ones.

    Attributes
    ----------
    order
        [R] numbers of the rows, group by group.
    tiles
        [groups, A + 2, LANES] float32: each group's short rows times -2, and their bounds.
    few_tiles
        [groups, FEW + 2, LANES] the same by the first axes alone.
    low, high
        [FEW + 1, groups] smallest and largest value of each coordinate of `few_tiles`.
    allowances
        [groups] the most by which rounding can bring a row of the group nearer.
    """

    order: NDArray[np.int64]
    tiles: NDArray[np.float32]
    few_tiles: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    allowances: NDArray[np.float32]

    @classmethod
    def of(cls, short: NDArray[np.float32], row_bounds: NDArray[np.float32]) -> Groups:
        """Group short rows [R, A + 1] with their bounds [R]."""
        order = _alike(short)
        few = _fewer(short)
        few_bounds = bounds(few, SPARE)
        starts = np.arange(0, len(order), LANES)
        allowances = _allowances(few, few_bounds)[order]
        return cls(
            order,
            _tiles(short[order], row_bounds[order]),
            _tiles(few[order], few_bounds[order]),
            np.minimum.reduceat(few[order], starts).T.copy(),
            np.maximum.reduceat(few[order], starts).T.copy(),
            np.maximum.reduceat(allowances, starts),
        )


def _tiles(short: NDArray[np.float32], row_bounds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay short rows times -2, and their bounds, side by side in groups; beyond the last row a bound is infinite."""
    groups = -(-len(short) // LANES)
    padded = np.zeros((groups * LANES, short.shape[1] + 1), np.float32)
    padded[: len(short), :-1], padded[: len(short), -1] = -2 * short, row_bounds
    padded[len(short) :, -1] = np.inf
    return np.ascontiguousarray(padded.reshape(groups, LANES, -1).transpose(0, 2, 1))


def _beside_one(short: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a 1 beside each vector: its product with a row of a tile has the row's bound in it."""
    return np.column_stack([short, np.ones(len(short), np.float32)])


def _allowances(short: NDArray[np.float32], lowered: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the amount by which each vector's square was lowered to a bound."""
    allowances: NDArray[np.float32] = np.einsum("ij,ij->i", short, short) - lowered
    return allowances


def in_threads(work: Callable[[slice], None], count: int) -> None:
    """Divide `count` queries among the threads; a few stay with one thread."""
    threads = get_num_threads() if count > ALONE else 1
    ends = [i * count // threads for i in range(threads + 1)]
    parts = [slice(start, end) for start, end in pairwise(ends)]
    if threads == 1:
        work(parts[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, parts))


@in_any_order
def _box_squares(query, low, high, squares):  # type: ignore[no-untyped-def]
    """Square distances of a query [D] from boxes with the sides `low` and `high` [D, groups]."""
    squares[:] = 0
    for axis in range(low.shape[0]):
        coordinate = query[axis]
        for group in range(squares.shape[0]):
            outside = max(low[axis, group] - coordinate, coordinate - high[axis, group], np.float32(0))
            squares[group] += outside * outside


@in_any_order
def _products(query, tile, lows):  # type: ignore[no-untyped-def]
    """Sum the products of a query with the LANES rows of a tile."""
    lows[:] = 0
    for axis in range(query.shape[0]):
        for lane in range(LANES):
            lows[lane] += query[axis] * tile[axis, lane]


@compiled
def _measure(  # type: ignore[no-untyped-def]
    queries, features, short, few, query_bounds, few_bounds, allowances, groups, squares, rows
):
    """Measure for each query the rows that may be the nearest; of equals the first counts."""
    boxes, limits = np.zeros(groups.low.shape[1], np.float32), np.zeros(LANES, np.float32)
    nothing, total = np.float32(0), features.shape[0]
    for i in range(queries.shape[0]):
        _box_squares(few[i], groups.low, groups.high, boxes)
        likely = int(np.argmin(boxes))
        _products(short[i], groups.tiles[likely], limits)
        row = groups.order[likely * LANES + int(np.argmin(limits))]
        guess, nearest = row, square_distance(queries[i], features[row])
        for group in range(boxes.shape[0]):
            if boxes[group] - groups.allowances[group] > nearest + allowances[i]:
                continue
            limits[:] = nearest - few_bounds[i]
            if not lanes_within(few[i], groups.few_tiles[group], nothing, limits):
                continue
            limits[:] = nearest - query_bounds[i]
            within = lanes_within(short[i], groups.tiles[group], nothing, limits)
            if not within:
                continue
            first = group * LANES
            for lane in range(min(LANES, total - first)):
                if not (within >> np.uint64(lane)) & np.uint64(1) or groups.order[first + lane] == guess:
                    continue
                other = groups.order[first + lane]
                square = square_distance(queries[i], features[other])
                if square < nearest or (square == nearest and other < row):
                    nearest, row = square, other
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
