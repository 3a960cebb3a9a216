"""Nearest rows at every prefix of a nested list of rows, with and without some of them, in one sweep."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.kernels.distances import bounds, compiled, square_distance
from patchcore.kernels.projected_search import ShortRows
from patchcore.kernels.simd import LANES, lanes_within

ROWS_AT_FIRST = 1024
FOLLOWED = (16, 48)  # patches of each kind that are compared with all rows first; together at most LANES

Steps = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]  # sizes, scores, cover radius


@dataclass(frozen=True)
class Rows:
    """The rows of a bank: [R, dims], factors of the products [R, dims or A + 1], and the factors' bounds [R]."""

    features: NDArray[np.float32]
    compared: NDArray[np.float32]
    bounds: NDArray[np.float32]

    short: ShortRows | None

    @classmethod
    def of(cls, features: NDArray[np.float32], low: NDArray[np.float32], short: ShortRows | None) -> Rows:
        """Make them of rows [R, dims], their bounds, and the rows as short vectors; None without short vectors."""
        # Products of short vectors bound the distances from below just as well.
        if short is None:
            return cls(features, features, low, None)
        return cls(features, short.short, short.bounds, short)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.features)


def profile(rows: Rows, patches: Patches, own: NDArray[np.bool_], covered: np.float32) -> Steps:
    """Steps of one image's score, and its cover radius [R], over all prefixes of the bank.

    Only the farthest patch counts. So after the first rows, a few far patches are compared with all rows; then other
    patches are dropped once they are nearer than the farthest of these. The radius is exact where it exceeds
    `covered`, and at most `covered` elsewhere.
    """
    largest = np.zeros((2, len(rows)))
    left, start = np.arange(len(patches.queries)), ROWS_AT_FIRST
    patches.meet(rows, own, slice(start), left, largest)
    if start < len(rows):
        followed = patches.farthest()
        patches.meet(rows, own, slice(start, None), followed, largest)
        any_row, other = patches.largest(followed)
        needed = max(any_row, float(covered) ** 2), other
        left = np.setdiff1d(left, followed)
        while start < len(rows):
            left = patches.may_count(left, needed)
            part = slice(start, start + max(1, start // 2))
            patches.meet(rows, own, part, left, largest, needed)
            start = part.stop
    cover, values = np.sqrt(largest).astype(np.float32)
    changed = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return changed + 1, values[changed], cover


@dataclass(frozen=True)
class Patches:
    """Patches of an image, and their square distances to the nearest rows so far, infinite at first.

    Attributes
    ----------
    queries, compared, bounds
        [P, dims]; [P, dims or A + 1], factors of the products; [P], bounds of these factors.
    any_row, other
        [P] float64: square distance to the nearest row, and to the nearest row of another image.
    """

    queries: NDArray[np.float32]
    compared: NDArray[np.float32]
    bounds: NDArray[np.float32]
    any_row: NDArray[np.float64]
    other: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, queries: NDArray[np.float32]) -> Patches:
        """Begin with patches [P, dims] that have not been compared with a row."""
        compared, low = (queries, bounds(queries)) if rows.short is None else rows.short.shorten(queries)
        return cls(queries, compared, low, np.full(len(queries), np.inf), np.full(len(queries), np.inf))

    def farthest(self) -> NDArray[np.int64]:
        """Return the places of the patches farthest so far from all rows, and from rows of other images."""
        kinds = zip((self.any_row, self.other), FOLLOWED, strict=True)
        return np.unique(
            np.concatenate([np.argsort(-squares, kind="stable")[:count] for squares, count in kinds])
        )

    def largest(self, chosen: NDArray[np.int64]) -> tuple[float, float]:
        """Return the largest square of each kind among the chosen patches."""
        return float(self.any_row[chosen].max()), float(self.other[chosen].max())

    def may_count(self, chosen: NDArray[np.int64], needed: tuple[float, float]) -> NDArray[np.int64]:
        """Return the patches that may still be the farthest at a longer prefix, the farthest first.

        Parameters
        ----------
        chosen
            Places of patches.
        needed
            Squares of each kind that another patch reaches at every prefix.
        """
        any_row, other = self.any_row[chosen], self.other[chosen]
        may = (any_row >= needed[0]) | (other >= needed[1])
        return chosen[may][np.argsort(-other[may], kind="stable")]

    def meet(
        self,
        rows: Rows,
        own: NDArray[np.bool_],
        part: slice,
        chosen: NDArray[np.int64],
        largest: NDArray[np.float64],
        needed: tuple[float, float] = (-math.inf, -math.inf),
    ) -> None:
        """Update the chosen patches' nearest distances with further bank rows.

        Parameters
        ----------
        rows, own, part
            The bank, which of its rows are the image's own, and the rows to compare with.
        chosen
            Places of the patches.
        largest
            [2, R] raised to the largest square of each kind after every row.
        needed
            Squares of each kind; a patch whose squares are both smaller may be dropped on the way.
        """
        _sweep(
            rows.compared[part],
            self._lanes(chosen),
            rows.features[part],
            self.queries,
            rows.bounds[part],
            self.bounds,
            own[part],
            chosen,
            self.any_row,
            self.other,
            *needed,
            *largest[:, part],
        )

    def _lanes(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """[groups, A, LANES] factors of the products times -2, LANES patches side by side; zeros after the last."""
        shape = (-(-len(chosen) // LANES), self.compared.shape[1], LANES)
        room = np.zeros(math.prod(shape) + LANES, np.float32)
        # At the start of a cache line, which halves the reading time.
        begin = -room.ctypes.data // room.itemsize % LANES
        lanes = room[begin : begin + math.prod(shape)].reshape(shape)
        places = np.arange(len(chosen))
        lanes[places // LANES, :, places % LANES] = -2 * self.compared[chosen]
        return lanes


@compiled
def _sweep(  # type: ignore[no-untyped-def]
    short,
    compared,
    rows,
    queries,
    row_bounds,
    query_bounds,
    own,
    chosen,
    any_row,
    other,
    any_needed,
    other_needed,
    cover,
    score,
):
    """Add rows one by one; after each, raise cover radius and score to the largest squares.

    A patch's nearest row is at most as far as its nearest row of another image. So a row is skipped when its bound lies
    above the latter distance (for the image's own rows: the former); every other row is measured.
    """
    any_limit, other_limit = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    any_square, other_square = np.empty(LANES), np.empty(LANES)
    for g in range(compared.shape[0]):
        places = chosen[g * LANES : (g + 1) * LANES]
        any_limit[:], other_limit[:] = -np.inf, -np.inf  # lanes beyond the last patch never count
        any_square[:], other_square[:] = -np.inf, -np.inf
        for lane in range(places.shape[0]):
            p = places[lane]
            any_square[lane], other_square[lane] = any_row[p], other[p]
            any_limit[lane] = any_row[p] - query_bounds[p]
            other_limit[lane] = other[p] - query_bounds[p]
        farthest_any, farthest_other = np.max(any_square), np.max(other_square)
        for b in range(rows.shape[0]):
            limit = any_limit if own[b] else other_limit
            within = lanes_within(short[b], compared[g], row_bounds[b], limit)
            if within != 0:
                moved = False
                for lane in range(places.shape[0]):
                    if not (within >> np.uint64(lane)) & np.uint64(1):
                        continue
                    p = places[lane]
                    square = square_distance(queries[p], rows[b])
                    if square < any_square[lane]:
                        any_square[lane], moved = square, True
                        any_limit[lane] = square - query_bounds[p]
                    if square < other_square[lane] and not own[b]:
                        other_square[lane], moved = square, True
                        other_limit[lane] = square - query_bounds[p]
                if moved:
                    farthest_any, farthest_other = np.max(any_square), np.max(other_square)
                    if farthest_any < any_needed and farthest_other < other_needed:
                        break
            cover[b], score[b] = max(cover[b], farthest_any), max(score[b], farthest_other)
        for lane in range(places.shape[0]):
            any_row[places[lane]], other[places[lane]] = any_square[lane], other_square[lane]
