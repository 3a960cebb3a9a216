"""Typical patches of the good images, and their distances to the nearest patch of a picture.

PatchCore asks of every patch of a picture whether good images hold a near one (paper §3.3). Here the question is turned
round: does the picture hold a near one of every patch that good images typically show? An empty picture of which every
patch is familiar passes the first question and fails the second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from patchcore.kernels.search import RunningSearch

CELLS_ASIDE = 7  # places a side whose typical patch is looked for at its place
ANYWHERE = -1


@dataclass(frozen=True, eq=False)
class TypicalPatches:
    """Typical patches of good images, each looked for anywhere in a picture or at its place.

    Attributes
    ----------
    features
        [K, dims] float32.
    images
        [K] int32: number of the good image that each comes from.
    cells
        [K] int32: position on the map, row * columns + column, beside which the patch is looked for; `ANYWHERE`.
    grid
        (rows, cols) of the map.
    """

    features: NDArray[np.float32]
    images: NDArray[np.int32]
    cells: NDArray[np.int32]
    grid: tuple[int, int]

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self.features)

    @cached_property
    def placed(self) -> NDArray[np.bool_]:
        """[K]: the patches that are looked for at their place."""
        return np.asarray(self.cells != ANYWHERE)

    def rows(self, chosen: NDArray[np.bool_]) -> "TypicalPatches":
        """Return some of the patches, in the same order."""
        return TypicalPatches(self.features[chosen], self.images[chosen], self.cells[chosen], self.grid)

    def distances(self, features: NDArray[np.float32], inspected: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Measure the distance of each typical patch to the nearest patch of a picture.

        Parameters
        ----------
        features
            [P, dims] float32: the picture's patches.
        inspected
            [rows, cols] bool: their positions, P in all.

        Returns
        -------
        ndarray
            [K] float32, Euclidean. A patch with a place is compared with the 3 x 3 patches around it; its distance is
            infinite where none of them is inspected.
        """
        found = np.empty(len(self), np.float32)
        anywhere, in_place = self._parts
        search = RunningSearch(anywhere)
        search.add(features)
        found[~self.placed] = search.distances[:, 0]
        numbers = np.full(inspected.size + 1, -1)
        numbers[np.flatnonzero(inspected)] = np.arange(len(features))
        around = numbers[self._windows]  # [places, 9]
        differences = features[around] - in_place[:, None]
        squares = np.where(around < 0, np.inf, np.einsum("pwd,pwd->pw", differences, differences))
        found[self.placed] = np.sqrt(squares.min(1, initial=np.inf))
        return found

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of the patches that are looked for anywhere, and at their place."""
        return self.features[~self.placed], self.features[self.placed]

    @cached_property
    def _windows(self) -> NDArray[np.intp]:
        """[places, 9]: positions around each place; the number of positions for one beyond the map."""
        rows, cols = self.grid
        row, col = np.divmod(self.cells[self.placed], cols)
        down, right = (offset.ravel() for offset in np.indices((3, 3)) - 1)
        at_row, at_col = row[:, None] + down, col[:, None] + right
        inside = (at_row >= 0) & (at_row < rows) & (at_col >= 0) & (at_col < cols)
        return np.where(inside, at_row * cols + at_col, rows * cols)


def places(grid: tuple[int, int]) -> NDArray[np.int32]:
    """Return the positions whose typical patch is looked for at its place: an even lattice over the map."""
    rows, cols = (
        ((np.arange(min(CELLS_ASIDE, side)) + 0.5) * side / min(CELLS_ASIDE, side)).astype(np.int32)
        for side in grid
    )
    return (rows[:, None] * grid[1] + cols).ravel()


def placed_patches(
    cells: NDArray[np.int32], images: Sequence[int], features: Iterable[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    """Choose the typical patch of each place: of the good images' patches there, the one nearest to their mean.

    Parameters
    ----------
    cells
        [C] the places.
    images
        Numbers of the good images.
    features
        For each of them, [C, dims] float32: its patches at the places; NaN where the image is not inspected.

    Returns
    -------
    tuple
        Features [K, dims], image numbers [K] and cells [K] of the places that at least half of the images show.
    """
    stacked = np.stack(list(features), 1)  # [C, images, dims]
    shown = ~np.isnan(stacked[:, :, 0])
    enough = 2 * shown.sum(1) >= len(images)
    chosen = np.empty(len(cells), np.intp)
    for cell in np.flatnonzero(enough):
        mean = stacked[cell][shown[cell]].mean(0, np.float64)
        far = ((stacked[cell].astype(np.float64) - mean) ** 2).sum(1)
        chosen[cell] = np.where(shown[cell], far, np.inf).argmin()
    at = np.flatnonzero(enough)
    numbers = np.asarray(images, np.int32)
    return stacked[at, chosen[at]], numbers[chosen[at]], cells[at]
