"""Leave-one-image-out scores of the good images and the cover radius, at every size of the bank in one pass.

Every row names its image, so skipping the rows of an image and of its near copies scores the image as if they were not
in the bank. Rows stand
in greedy order and distances never rise as rows are added, so one pass over the rows gives the score at every prefix,
stored as the few sizes where it changes. Scores and radii equal `MemoryBank.nearest` to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.bank import MemoryBank
from patchcore.images.copy_groups import CopyGroups
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


def score_good_images(
    bank: MemoryBank,
    patches: Iterable[tuple[int, NDArray[np.float32]]],
    progress: Callable[[int], None] | None = None,
    groups: CopyGroups | None = None,
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
        Near copies among the images of the bank: their rows are skipped too. None where there are none.
    """
    cover = np.zeros(len(bank), np.float32)
    numbers, all_sizes, all_values = [], [], []
    rows, threads = Rows.of(bank.features, bank.bounds, bank.short), get_num_threads()

    def steps(item: tuple[int, NDArray[np.float32]]) -> tuple[int, Steps]:
        number, queries = item
        skipped = {number} if groups is None else groups.left_out_with(number)
        own = np.isin(bank.images, list(skipped))
        return number, profile(rows, Patches.of(rows, queries), own, cover[-1])

    found = done_ahead(steps, patches, threads, waiting=threads)
    for done, (number, (sizes, values, own_cover)) in enumerate(found, start=1):
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
