"""Leave-one-image-out scores of the good images and the cover radius, at every size of the bank in one pass.

Every row knows its image, so an image is scored as if it had not been in the bank by skipping its own rows. Rows
stand in greedy order and distances only fall as rows are added: one pass over the rows gives the score at every
prefix, kept as the few places where it changes. Scores and radii are what `MemoryBank.nearest` gives, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.distances import bounds, compiled, square_distance
from patchcore.products import product

ROWS_AT_ONCE = 1024  # a power of two
LANES = 64
LOOKED_AHEAD = 16  # patches whose way is followed to the last row early on, to know which others cannot count


@dataclass(frozen=True)
class GoodScores:
    """Scores of good images as step functions of the bank's size.

    Attributes
    ----------
    offsets
        [n + 1] int64: image i's steps are ``offsets[i]:offsets[i + 1]``.
    sizes
        Number of rows from which on a step's value holds, ascending within an image.
    values
        [len(sizes)] float32 scores; infinite while the bank holds only the image's own rows.
    cover_radius
        [R] float32: largest distance from any patch of these images to its nearest of the first k + 1 rows.
    images
        [n] int32: numbers of the images that were scored.
    """

    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    values: NDArray[np.float32]
    cover_radius: NDArray[np.float32]
    images: NDArray[np.int32]

    def at(self, rows: int) -> NDArray[np.float32]:
        """Return the scores for a bank of the first `rows` rows: [n] float32, infinite where undefined."""
        steps = [
            self.offsets[i]
            + np.searchsorted(self.sizes[self.offsets[i] : self.offsets[i + 1]], rows, side="right")
            - 1
            for i in range(len(self.images))
        ]
        return self.values[np.array(steps, np.int64)] if steps else np.empty(0, np.float32)


def score_good_images(
    bank: MemoryBank,
    patches: Iterable[tuple[int, NDArray[np.float32]]],
    progress: Callable[[int], None] | None = None,
) -> GoodScores:
    """Score good images against the bank without their own rows, for every prefix of the bank.

    Parameters
    ----------
    bank
        The whole bank, in greedy order.
    patches
        (image number, its patch features [P, dims]) for each image to score.
    progress
        Called with the number of images done.
    """
    cover = np.zeros(len(bank), np.float32)
    numbers, all_sizes, all_values = [], [], []
    for done, (number, queries) in enumerate(patches, start=1):
        sizes, values, own_cover = _profile(bank, queries, number, cover[-1])
        np.maximum(cover, own_cover, out=cover)
        numbers.append(number)
        all_sizes.append(sizes)
        all_values.append(values)
        if progress:
            progress(done)
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in all_sizes])]).astype(np.int64)
    return GoodScores(
        offsets, np.concatenate(all_sizes), np.concatenate(all_values), cover, np.array(numbers, np.int32)
    )


def _profile(
    bank: MemoryBank, queries: NDArray[np.float32], number: int, covered: np.float32
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Steps of one image's score, and its cover radius [R], over all prefixes of the bank.

    Only the farthest patch counts, so once a few rows are known, most patches can be left behind: those already nearer
    than the farthest are to the whole bank. The radius is exact where it exceeds `covered`, else at most that.
    """
    rows = len(bank)
    own = bank.images == number
    cover, score = np.empty(rows), np.empty(rows)
    patches, ends = _Patches.of(bank, queries), None
    for start in range(0, rows, ROWS_AT_ONCE):
        if start and start & (start - 1) == 0:  # as often as the rows have doubled
            if ends is None:
                ends = patches.take(patches.farthest(LOOKED_AHEAD))
                for ahead in range(start, rows, ROWS_AT_ONCE):
                    ends.meet(bank, own, slice(ahead, ahead + ROWS_AT_ONCE))
            patches = patches.take(patches.may_count(ends, covered))
        part = slice(start, start + ROWS_AT_ONCE)
        cover[part], score[part] = patches.meet(bank, own, part)
    values = np.sqrt(score).astype(np.float32)
    changed = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return changed + 1, values[changed], np.sqrt(cover).astype(np.float32)


@dataclass(frozen=True)
class _Patches:
    """Patches of an image, and how near the rows met so far have come: squares, infinite at first.

    Attributes
    ----------
    queries, compared, bounds
        [P, dims]; [P, dims or A + 1], what products are taken of; [P], bounds of these.
    any_row, other
        [P] float64: to the nearest row, and to the nearest of another image.
    """

    queries: NDArray[np.float32]
    compared: NDArray[np.float32]
    bounds: NDArray[np.float32]
    any_row: NDArray[np.float64]
    other: NDArray[np.float64]

    @classmethod
    def of(cls, bank: MemoryBank, queries: NDArray[np.float32]) -> _Patches:
        """Begin with patches [P, dims] that have met no row."""
        # The products of short vectors bound the distances from below just as well.
        compared, low = (queries, bounds(queries)) if bank.short is None else bank.short.shorten(queries)
        return cls(queries, compared, low, np.full(len(queries), np.inf), np.full(len(queries), np.inf))

    def take(self, chosen: NDArray[np.int64]) -> _Patches:
        """Return some of them, to go on with on their own."""
        return _Patches(
            self.queries[chosen],
            self.compared[chosen],
            self.bounds[chosen],
            self.any_row[chosen],
            self.other[chosen],
        )

    def farthest(self, count: int) -> NDArray[np.int64]:
        """Return the places of those farthest from all rows, and from those of other images, so far."""
        far = [np.argsort(-squares, kind="stable")[:count] for squares in (self.any_row, self.other)]
        return np.unique(np.concatenate(far))

    def may_count(self, ends: _Patches, covered: np.float32) -> NDArray[np.int64]:
        """Return the places of those that may still be the farthest from some prefix yet to come.

        Parameters
        ----------
        ends
            Some of the patches, which have met every row: how far they stay no patch can be brought below.
        covered
            Radius that others are known to need whatever the prefix.
        """
        for_cover = (self.any_row >= ends.any_row.max()) & (
            np.sqrt(self.any_row).astype(np.float32) > covered
        )
        return np.flatnonzero(for_cover | (self.other >= ends.other.max()))

    def meet(
        self, bank: MemoryBank, own: NDArray[np.bool_], part: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bring them before some more rows; return the largest square of each kind after every row."""
        rows = bank.features[part]
        short, low = (
            (rows, bank.bounds) if bank.short is None else (bank.short.short[part], bank.short.bounds)
        )
        cover, score = np.empty(len(rows)), np.empty(len(rows))
        products = product(short, self.compared.T)
        _sweep(
            products,
            rows,
            self.queries,
            low[part],
            self.bounds,
            own[part],
            self.any_row,
            self.other,
            cover,
            score,
        )
        return cover, score


@compiled
def _sweep(  # type: ignore[no-untyped-def]
    products, rows, queries, row_bounds, query_bounds, own, any_row, other, cover, score
):
    """Add rows one by one; after each, note the squares of the cover radius and of the score.

    A patch's nearest row is at most as far as its nearest from another image, so what cannot be nearer than the
    latter (for the image's own rows: the former) is passed over; the rest is measured.
    """
    two = np.float32(2)
    any_limit, other_limit = np.empty(any_row.shape[0], np.float32), np.empty(other.shape[0], np.float32)
    for p in range(queries.shape[0]):
        any_limit[p] = any_row[p] - query_bounds[p]
        other_limit[p] = other[p] - query_bounds[p]
    any_most, other_most = _most_of_lanes(any_row), _most_of_lanes(other)
    farthest_any, farthest_other = np.max(any_most), np.max(other_most)
    for b in range(rows.shape[0]):
        limit = any_limit if own[b] else other_limit
        line, row, low = products[b], rows[b], row_bounds[b]
        nearer = False
        for start in range(0, line.shape[0], LANES):
            stop = min(start + LANES, line.shape[0])
            if not _any_within(line[start:stop], low, limit[start:stop]):
                continue
            moved = False
            for p in range(start, stop):
                if low - two * line[p] > limit[p]:
                    continue
                square = square_distance(queries[p], row)
                if square < any_row[p]:
                    any_row[p], any_limit[p], moved = square, square - query_bounds[p], True
                if square < other[p] and not own[b]:
                    other[p], other_limit[p], moved = square, square - query_bounds[p], True
            if moved:
                nearer, lanes = True, start // LANES
                any_most[lanes], other_most[lanes] = np.max(any_row[start:stop]), np.max(other[start:stop])
        if nearer:
            farthest_any, farthest_other = np.max(any_most), np.max(other_most)
        cover[b], score[b] = farthest_any, farthest_other


@compiled
def _most_of_lanes(squares):  # type: ignore[no-untyped-def]
    """Largest of each LANES squares, the last of what is left."""
    most = np.empty(-(-squares.shape[0] // LANES))
    for lanes in range(most.shape[0]):
        most[lanes] = np.max(squares[lanes * LANES : (lanes + 1) * LANES])
    return most


@compiled
def _any_within(products, low, limits):  # type: ignore[no-untyped-def]
    """`distances.any_within` with a limit for each query and one row."""
    two, found = np.float32(2), np.int32(0)
    for j in range(products.shape[0]):
        found |= np.int32(not (low - two * products[j] > limits[j]))
    return found != 0
