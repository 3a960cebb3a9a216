"""From distances to a result (paper §3.3): image score, re-weighting, anomaly map, worst patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional

from patchcore.bank import MemoryBank
from patchcore.images.geometry import Box, Placement
from patchcore.images.reading import ImageRecord

SMOOTHING = 4 / 224  # paper §3.3: a Gaussian of sigma 4 at 224 px input


@dataclass(frozen=True, eq=False)
class Comparison:
    """An image's patches compared with the good images.

    Attributes
    ----------
    distances
        [P] float32: how far each patch is from the good ones, in the units of the method.
    score
        The image's anomaly score.
    nearest_row
        The stored patch that is nearest to the worst one; None where the method compares with no single patches.
    figures
        Further numbers of the method, by name.
    """

    distances: NDArray[np.float32]
    score: float
    nearest_row: int | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, distances: NDArray[np.float32], **figures: float) -> Comparison:
        """Score an image by its largest distance."""
        return cls(distances, float(distances.max()), figures=figures)


@dataclass(frozen=True, eq=False)
class Result:
    """The result of scoring one image.

    Attributes
    ----------
    score
        The image's anomaly score: a distance in feature space, raw and unbounded.
    map
        [H, W] float32 in the image's own pixels, in units of the score; 0 where nothing was inspected.
    patch_scores
        [rows, cols] float32, NaN on padding and outside the ROI.
    worst
        (row, col) of the patch that decided the score.
    worst_box
        That patch's 3x3 neighbourhood as (x0, y0, x1, y1) in the image's own pixels.
    nearest_row
        The bank row that is nearest to the worst patch; None where the method compares with no single patches.
    record, placement
        How the image was read, and its place in the network's input.
    figures
        Further numbers of the method, by name.
    remarks
        A sentence for each thing about the image that its reader should know: conversions while reading, and
        differences from the good images.
    """

    score: float
    map: NDArray[np.float32]
    patch_scores: NDArray[np.float32]
    worst: tuple[int, int]
    worst_box: Box
    nearest_row: int | None
    record: ImageRecord
    placement: Placement
    figures: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an image scored as it did: its worst patch beside the nearest patch of any good image.

    Attributes
    ----------
    test_box
        The worst patch, (x0, y0, x1, y1) in the test image's pixels.
    distance
        Between the two, in units of the score.
    neighbour_image, neighbour_sha256
        Name and hash of the good image that the nearest row came from.
    neighbour_box
        Where that patch lies in the good image's own pixels.
    """

    test_box: Box
    distance: float
    neighbour_image: str
    neighbour_sha256: str
    neighbour_box: Box


@dataclass(frozen=True, eq=False)
class ImagePatches:
    """One image as the bank sees it: computed once, compared with any number of banks.

    Attributes
    ----------
    features
        [P, dims] float32, of the patches that take part.
    inspected
        [rows, cols] bool: True for those patches.
    record, placement
        As in `Result`.
    """

    features: NDArray[np.float32]
    inspected: NDArray[np.bool_]
    record: ImageRecord
    placement: Placement

    def patch_scores(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lay the patches' distances [P] out on the feature map: [rows, cols], NaN where nothing was inspected."""
        laid = np.full(self.inspected.shape, np.nan, np.float32)
        laid[self.inspected] = distances
        return laid


def inspected_patches(valid: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which patches take part: patches at least half on the image and inside the ROI.

    Where the ROI is so small that no patch is half inside, the patches that touch it most take part.

    Parameters
    ----------
    valid
        [S, S] bool, of the network's input.
    grid
        (rows, cols) of the feature map.

    Returns
    -------
    ndarray
        [rows, cols] bool.
    """
    coverage = functional.adaptive_avg_pool2d(torch.from_numpy(valid)[None].float(), grid)[0].numpy()
    return np.asarray(coverage >= min(0.5, coverage.max()))


def anomaly_map(patch_scores: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """Turn patch scores into a map in the image's own pixels (paper §3.3).

    Parameters
    ----------
    patch_scores
        [rows, cols] float32; NaN where nothing was inspected takes the value of the nearest patch that was,
        so that nothing bleeds in from outside.
    placement
        The way back to the original.

    Returns
    -------
    ndarray
        [H, W] float32.
    """
    size = placement.input_size
    missing = np.isnan(patch_scores)
    if missing.any():
        _, nearest = ndimage.distance_transform_edt(missing, return_indices=True)
        patch_scores = patch_scores[tuple(nearest)]
    grid = torch.from_numpy(np.ascontiguousarray(patch_scores))[None, None]
    full = functional.interpolate(grid, size=(size, size), mode="bilinear", align_corners=False)[0, 0].numpy()
    return placement.map_to_original(ndimage.gaussian_filter(full, SMOOTHING * size))


def patch_box(position: tuple[int, int], grid: tuple[int, int], placement: Placement) -> Box:
    """Box of a patch's 3x3 neighbourhood (paper §3.1: p = 3) in the original's pixels."""
    (row, col), (rows, cols), size = position, grid, placement.input_size
    height, width = size / rows, size / cols
    box = ((col - 1) * width, (row - 1) * height, (col + 2) * width, (row + 2) * height)
    return placement.box_to_original(box)


def reweighted(
    bank: MemoryBank, patch: NDArray[np.float32], nearest_row: int, distance: float, neighbours: int
) -> float:
    """Re-weight the score of the worst patch by its neighbours' surroundings (paper Eq. 7).

    Parameters
    ----------
    bank
        The memory bank M.
    patch
        [dims] float32, m^test,*.
    nearest_row
        Row of m*.
    distance
        s* = |m^test,* - m*|.
    neighbours
        b, the size of N_b(m*), m* itself included.

    Returns
    -------
    float
        (1 - exp(s*) / sum over N_b(m*) of exp(|m^test,* - m|)) s*, by log-sum-exp.
    """
    around = bank.nearest(bank.features[nearest_row : nearest_row + 1], neighbours).rows[0]
    distances = np.linalg.norm(bank.features[around] - patch, axis=1).astype(np.float64)
    return float((1 - np.exp(distance - np.logaddexp.reduce(distances))) * distance)
