"""The interface of a labelled image, on disk or in the workspace, and the reading of its mask."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.evaluation.mvtec_layout import LabelledImage, marked
from patchcore.fitting.sources import Source


class Labelled(Protocol):
    """An image with its label and mask; `mvtec_layout.LabelledImage` is one."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    @property
    def source(self) -> Source:
        """The image's file, bytes or array."""

    @property
    def defect_type(self) -> str | None:
        """Name of the defect, "good" for a good part, None without a label."""

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""

    def mask(self) -> NDArray[np.bool_] | None:
        """[H, W] bool, true where the defect is; None where nobody marked it."""


def read_mask(image: Labelled) -> tuple[NDArray[np.bool_] | None, bool]:
    """Read the mask of a defect, None without one: (mask, whether it has greys).

    Raises
    ------
    ImageError
        The mask cannot be read.
    DataError
        The mask marks nothing.
    """
    grey = False
    if isinstance(image, LabelledImage):
        values = image.mask_values()
        mask, grey = (None, False) if values is None else marked(values)
    else:
        mask = image.mask()
    if mask is not None and not mask.any():
        raise DataError(
            "It marks nothing, though the image is labelled as a defect; mark the defect in white."
        )
    return mask, grey


def built_from(twins: Sequence[tuple[str, str]]) -> str:
    """Return a sentence on images with the pixels of good images of the build: (name, name of the good one)."""
    one = len(twins) == 1
    (name, good) = twins[0]
    which = f"1 image shows the same pixels as a good image ({name}, as {good})" if one else ""
    many = f"{len(twins):,} images show the same pixels as good images (first: {name}, as {good})"
    return (
        f"{which or many} that the inspector was built from; {'it was' if one else 'each was'} scored as if it had not "
        "been. Images of other parts prove more."
    )


def grey_masks(names: Sequence[str]) -> str:
    """Return a sentence on masks with grey values, and their reading."""
    which = "1 mask has" if len(names) == 1 else f"{len(names)} masks have"
    return f"{which} grey values (first: {names[0]}); pixels brighter than mid-grey were taken as marked."
