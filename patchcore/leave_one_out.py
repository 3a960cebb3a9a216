"""Leave-one-image-out scores of the good images and the cover radius, at every size of the bank in one pass.

Every row knows its image, so an image is scored as if it had not been in the bank by skipping its own rows. Rows
stand in greedy order and distances only fall as rows are added: one pass over the rows gives the score at every
prefix, kept as the few places where it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from patchcore.bank import MemoryBank

ROWS_AT_ONCE = 2048


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
    norms = np.einsum("ij,ij->i", bank.features, bank.features)
    cover = np.zeros(len(bank), np.float32)
    numbers, all_sizes, all_values = [], [], []
    for done, (number, queries) in enumerate(patches, start=1):
        sizes, values, own_cover = _profile(bank, norms, queries, number)
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
    bank: MemoryBank, norms: NDArray[np.float32], queries: NDArray[np.float32], number: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Steps of one image's score, and its cover radius [R], over all prefixes of the bank."""
    rows = len(bank)
    own = bank.images == number
    cover, patch, row = np.empty(rows, np.float32), np.empty(rows, np.int64), np.empty(rows, np.int64)
    state = _State.start(len(queries))
    query_norms = np.einsum("ij,ij->i", queries, queries)
    for start in range(0, rows, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        squares = bank.features[part] @ queries.T
        squares *= -2
        squares += norms[part, None]
        squares += query_norms
        _sweep(
            squares,
            own[part],
            start,
            state.any_row,
            state.other,
            state.other_row,
            cover[part],
            patch[part],
            row[part],
        )
    changed = np.flatnonzero(np.diff(patch, prepend=-2) | np.diff(row, prepend=-2))
    difference = queries[patch[changed]] - bank.features[row[changed]]
    values = np.sqrt(np.einsum("ij,ij->i", difference, difference)).astype(np.float32)
    values[row[changed] < 0] = np.inf
    return changed + 1, values, np.sqrt(np.maximum(cover, 0))


@dataclass
class _State:
    any_row: NDArray[np.float32]
    other: NDArray[np.float32]
    other_row: NDArray[np.int64]

    @classmethod
    def start(cls, patches: int) -> _State:
        return cls(
            np.full(patches, np.inf, np.float32),
            np.full(patches, np.inf, np.float32),
            np.full(patches, -1, np.int64),
        )


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    return compiled


@_compiled
def _sweep(squares, own, first_row, any_row, other, other_row, cover, patch, row):  # type: ignore[no-untyped-def]
    """Add rows one by one; after each, note the cover radius and which patch and row decide the score."""
    worst_any, worst_other = np.argmax(any_row), np.argmax(other)
    for b in range(squares.shape[0]):
        any_stale, other_stale = False, False
        for p in range(squares.shape[1]):
            square = squares[b, p]
            if square < any_row[p]:
                any_row[p] = square
                any_stale = any_stale or p == worst_any
            if square < other[p] and not own[b]:
                other[p] = square
                other_row[p] = first_row + b
                other_stale = other_stale or p == worst_other
        if any_stale:
            worst_any = np.argmax(any_row)
        if other_stale:
            worst_other = np.argmax(other)
        cover[b] = any_row[worst_any]
        patch[b] = worst_other
        row[b] = other_row[worst_other]
