"""Exact search for the single nearest row, by few coordinates first: most rows are passed over without being read.

Along the axes in which the rows differ most, a few dozen coordinates hold nearly all of a distance; what they leave out
of a vector has a length, and two vectors are at least as far apart as these lengths differ. So coordinates and length
together are a shorter vector whose distances never exceed the true ones. Products of the short vectors say which rows
may be nearest; these are measured by `distances.square_distance`, so that what is found is what measuring all gives.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.distances import bounds, compiled, in_any_order, square_distance

AXES = 63  # with the length of the rest, 64 coordinates
ROWS_AT_ONCE = 512  # of the bank; with an image's queries their products stay in the cache
LANES = 64
SAMPLE = 1024  # rows that tell the axes
SMALLEST_BANK, SMALLEST_DIMS = 2048, 128  # below, the search by whole products is as quick
ALONE = 128  # queries up to which one thread does it
# Rounding short vectors, and the length of the rest found as a difference of squares, move them by at most 1.1e-6 of
# the whole length; that moves the square of a distance by at most 4.4e-6 of the sum of both squares: 74 roundings.
SPARE = 96


@dataclass(frozen=True)
class ShortRows:
    """The rows of a bank as short vectors.

    Attributes
    ----------
    centre, axes
        [dims] and [dims, AXES] float64, orthonormal columns.
    short
        [R, AXES + 1] float32: coordinates of the rows along the axes, and the length of the rest.
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
        """Shorten queries [Q, dims]: the short vectors [Q, AXES + 1] and their bounds [Q]."""
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
        across = np.ascontiguousarray(short.T)
        groups = np.empty((-(-len(features) // LANES), len(queries)), np.float32)
        for start in range(0, len(features), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            _lowest_of_lanes(self.short[part] @ across, self.bounds[part], groups[start // LANES :])
        lowest = np.ascontiguousarray(groups.T)
        squares, rows = np.full((len(queries), 1), np.inf), np.full((len(queries), 1), -1, np.int64)

        def measure(part: slice) -> None:
            _measure(
                queries[part],
                features,
                short[part],
                self.short,
                query_bounds[part],
                self.bounds,
                lowest[part],
                squares[part],
                rows[part],
            )

        in_threads(measure, len(queries))
        return np.sqrt(squares).astype(np.float32), rows


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
def _lowest_of_lanes(products, row_bounds, lowest):  # type: ignore[no-untyped-def]
    """Find for each query the lowest bound among each LANES rows, less what depends on the query alone.

    `products` is [rows, queries]; `lowest` [groups, queries] is filled.
    """
    two = np.float32(2)
    for row in range(products.shape[0]):
        line, least, low = products[row], lowest[row // LANES], row_bounds[row]
        if row % LANES == 0:
            least[:] = np.inf
        for i in range(line.shape[0]):
            bound = low - two * line[i]
            least[i] = bound if bound < least[i] else least[i]


@in_any_order
def _product(a, b):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@compiled
def _measure(queries, features, short, short_rows, query_bounds, row_bounds, lowest, squares, rows):  # type: ignore[no-untyped-def]
    """Measure for each query the rows that may be the nearest, in their order."""
    two, total = np.float32(2), features.shape[0]
    for i in range(queries.shape[0]):
        first = int(np.argmin(lowest[i])) * LANES
        guess, low = first, np.float32(np.inf)
        for j in range(first, min(first + LANES, total)):
            bound = row_bounds[j] - two * _product(short[i], short_rows[j])
            if bound < low:
                guess, low = j, bound
        limit = np.float32(square_distance(queries[i], features[guess]) - query_bounds[i])
        nearest, row = np.inf, -1
        for group in range(lowest.shape[1]):
            if lowest[i, group] > limit:
                continue
            for j in range(group * LANES, min((group + 1) * LANES, total)):
                if row_bounds[j] - two * _product(short[i], short_rows[j]) > limit:
                    continue
                square = square_distance(queries[i], features[j])
                if square < nearest:
                    nearest, row = square, j
                    limit = min(limit, np.float32(square - query_bounds[i]))
        squares[i, 0], rows[i, 0] = nearest, row


def _principal_axes(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal axes [dims, AXES] that hold nearly all of the rows, by subspace iteration (Halko et al. 2011)."""
    axes = np.random.default_rng(0).standard_normal((centred.shape[1], min(AXES, centred.shape[1])))
    for _ in range(3):
        axes, _ = np.linalg.qr(centred.T @ (centred @ axes))
    return axes


def _shorten(
    vectors: NDArray[np.float32], centre: NDArray[np.float64], axes: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Coordinates along the axes, and the length of the rest: [N, dims] -> [N, AXES + 1]."""
    short = np.empty((len(vectors), axes.shape[1] + 1), np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        centred = vectors[part] - centre
        along = centred @ axes
        rest = np.einsum("ij,ij->i", centred, centred) - np.einsum("ij,ij->i", along, along)
        short[part, :-1], short[part, -1] = along, np.sqrt(np.maximum(rest, 0))
    return short
