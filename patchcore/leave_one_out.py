"""Leave-one-out scores of the good images and the cover radius, at every size of the bank in one pass.

Every row names its image, so skipping the rows of an image and of its near copies scores the image as if they were not
in the bank; skipping the rows of its whole session scores it as on a day not seen. Rows stand in greedy order, and
distances never rise as rows are added. So one pass over the rows gives the score at every prefix, stored as the few
sizes where it changes. Scores and radii equal `MemoryBank.nearest` to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.bank import MemoryBank
from patchcore.kernels.nested_sweep import Patches, Rows, Steps, profile
from patchcore.kernels.prefetch import done_ahead


@dataclass(frozen=True)
class GoodScores:
    """Scores of good images as step functions of the bank's size.

    Attributes
    ----------
    offsets
        [n + 1] int64: image i's steps are ``offsets[i]:offsets[i + 1]``.
    sizes
        Number of rows at which a step's value begins, ascending within an image.
    values
        [len(sizes)] float32 scores; infinite while the bank holds only the image's own rows.
    cover_radius
        [R] float32: largest distance from any patch of these images to its nearest of the first k + 1 rows.
    images
        [n] int32: numbers of the images that were scored.
    """

    # Scores by other sessions alone are of the same images, and the radius does not depend on the images left out.
    SESSION_PARTS: ClassVar[tuple[str, ...]] = ("offsets", "sizes", "values")

    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    values: NDArray[np.float32]
    cover_radius: NDArray[np.float32]
    images: NDArray[np.int32]

    def at_least(self, floor: float) -> GoodScores:
        """Return the same scores, none below a floor."""
        return replace(self, values=np.maximum(self.values, np.float32(floor)))

    def at(self, rows: int) -> NDArray[np.float32]:
        """Return the scores for a bank of the first `rows` rows: [n] float32, infinite where undefined."""
        steps = [
            self.offsets[i]
            + np.searchsorted(self.sizes[self.offsets[i] : self.offsets[i + 1]], rows, side="right")
            - 1
            for i in range(len(self.images))
        ]
        return self.values[np.array(steps, np.int64)] if steps else np.empty(0, np.float32)


Changes = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Sizes of the bank at which an image's score changes, and the scores there."""


class GoodGroups(Protocol):
    """Says which good images take no part in the score of one of them."""

    def left_out_with(self, number: int) -> frozenset[int]:
        """Return their numbers, the image's own included."""


def score_good_images(
    bank: MemoryBank,
    patches: Iterable[tuple[int, NDArray[np.float32]]],
    progress: Callable[[int], None] | None = None,
    groups: GoodGroups | None = None,
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
    groups
        Images whose rows are skipped with an image's own, such as its near copies. None where there are none.
    """
    return score_by_groups(bank, patches, [groups], progress)[0]


def score_by_groups(
    bank: MemoryBank,
    patches: Iterable[tuple[int, NDArray[np.float32]]],
    kinds: Sequence[GoodGroups | None],
    progress: Callable[[int], None] | None = None,
) -> list[GoodScores]:
    """Score good images as `score_good_images` does, once with each kind of groups, in one pass over the images."""
    cover = np.zeros(len(bank), np.float32)
    numbers = list[int]()
    changes: list[list[Changes]] = [[] for _ in kinds]
    rows, threads = Rows.of(bank.features, bank.bounds, bank.short), get_num_threads()

    def steps(item: tuple[int, NDArray[np.float32]]) -> tuple[int, list[Steps]]:
        number, queries = item
        skipped = [frozenset({number}) if kind is None else kind.left_out_with(number) for kind in kinds]
        own = [np.isin(bank.images, list(numbers)) for numbers in skipped]
        return number, [profile(rows, Patches.of(rows, queries), mask, cover[-1]) for mask in own]

    found = done_ahead(steps, patches, threads, waiting=threads)
    for done, (number, of_kinds) in enumerate(found, start=1):
        np.maximum(cover, of_kinds[0][2], out=cover)
        numbers.append(number)
        for collected, (sizes, values, _) in zip(changes, of_kinds, strict=True):
            collected.append((sizes, values))
        if progress:
            progress(done)
    images = np.array(numbers, np.int32)
    return [_joined(collected, cover, images) for collected in changes]


def _joined(changes: Sequence[Changes], cover: NDArray[np.float32], images: NDArray[np.int32]) -> GoodScores:
    offsets = np.concatenate([[0], np.cumsum([len(sizes) for sizes, _ in changes])]).astype(np.int64)
    sizes, values = (np.concatenate(parts) for parts in zip(*changes, strict=True))
    return GoodScores(offsets, sizes, values, cover, images)
