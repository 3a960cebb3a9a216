"""The check of the whole picture in an inspector's file: arrays of every method, and rules for a stranger's file."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.files.method_rules import Header, Part, Tensors, feature_rules, hold
from patchcore.plausibility.measures import MEASURES
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.plausibility.typical_patches import ANYWHERE, TypicalPatches
from patchcore.thresholds.operating_point import LARGEST_SCORE

PREFIX = "picture_check."
PICTURE_PARTS: Mapping[str, Part] = {
    f"{PREFIX}features": ("F32", 4, 2),
    f"{PREFIX}patch_images": ("I32", 4, 1),
    f"{PREFIX}cells": ("I32", 4, 1),
    f"{PREFIX}images": ("I32", 4, 1),
    f"{PREFIX}measures": ("F64", 8, 2),
    f"{PREFIX}distances": ("F32", 4, 2),
}
MOST_PATCHES = 1024  # a build chooses fewer than 200
LARGEST_MEASURE = 100.0  # a picture of pure red has 52 times more red than green


def picture_parts(check: PictureCheck | None) -> dict[str, NDArray[Any]]:
    """Return the arrays to write; empty ones for no check."""
    if check is None:
        arrays: tuple[NDArray[Any], ...] = (
            np.empty((0, 1), np.float32),
            *(np.empty(0, np.int32) for _ in range(3)),
            np.empty((0, len(MEASURES))),
            np.empty((0, 0), np.float32),
        )
    else:
        patches = check.patches
        arrays = (
            patches.features,
            patches.images,
            patches.cells,
            check.images,
            check.measures,
            check.distances,
        )
    return dict(zip(PICTURE_PARTS, arrays, strict=True))


def picture_check_of(tensors: Tensors, grid: tuple[int, int]) -> PictureCheck | None:
    """Rebuild the check from its arrays; None where it holds no good image."""
    features, patch_images, cells, images, measures, distances = (tensors[name] for name in PICTURE_PARTS)
    if not len(images):
        return None
    return PictureCheck(TypicalPatches(features, patch_images, cells, grid), images, measures, distances)


def hold_picture_rules(tensors: Tensors, header: Header) -> None:
    """Check the arrays against each other and the header, at every load.

    Raises
    ------
    ArtifactError
        A rule does not hold.
    """
    features, patch_images, cells, images, measures, distances = (tensors[name] for name in PICTURE_PARTS)
    positions, listed = header["grid"][0] * header["grid"][1], len(header["images"])
    hold(
        {
            "the check of the whole picture has a value of each kind for each image and patch": features.ndim
            == 2
            and len(features) == len(patch_images) == len(cells)
            and measures.shape == (len(images), len(MEASURES))
            and distances.shape == (len(images), len(features)),
            "the check of the whole picture has no more patches than a build chooses": len(features)
            <= MOST_PATCHES,
            **feature_rules(features, positions),
        }
    )
    hold(
        {
            "typical patches are numbers": bool(np.isfinite(features).all()),
            "typical patches come from listed images": _within(patch_images, 0, listed - 1),
            "the check of the whole picture has listed images, each once": _within(images, 0, listed - 1)
            and len(np.unique(images)) == len(images),
            "typical patches lie on the map": _within(cells, ANYWHERE, positions - 1),
            "measures of good images are numbers that a picture can have": bool(
                ((measures >= 0) & (measures <= LARGEST_MEASURE)).all() and (measures[:, 3:] > 0).all()
            ),
            "distances of typical patches are distances": bool(
                ((distances >= 0) & ((distances <= LARGEST_SCORE) | np.isinf(distances))).all()
            ),
        }
    )


def _within(numbers: NDArray[Any], lowest: int, highest: int) -> bool:
    return bool(((numbers >= lowest) & (numbers <= highest)).all())
