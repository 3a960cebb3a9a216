"""What measuring asks of a labelled image, wherever it is kept, and how its mask is read."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.evaluation.mvtec_layout import LabelledImage, marked
from patchcore.fitting.sources import Source


class Labelled(Protocol):
    """An image with what is known of it; `mvtec_layout.LabelledImage` is one."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    @property
    def source(self) -> Source:
        """What it is read from."""

    @property
    def defect_type(self) -> str | None:
        """Name of the defect, "good" for a good part, None where nobody said."""

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""

    def mask(self) -> NDArray[np.bool_] | None:
        """[H, W] bool, true where the defect is; None where nobody marked it."""


def read_mask(image: Labelled) -> tuple[NDArray[np.bool_] | None, bool]:
    """Read where the defect is, None where nobody marked it; also tell whether the mask has greys.

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


def grey_masks(names: Sequence[str]) -> str:
    """Say that masks had grey values and how they were read."""
    which = "1 mask has" if len(names) == 1 else f"{len(names)} masks have"
    return (
        f"{which} grey values (first that of {names[0]}); what is brighter than mid-grey was taken as marked."
    )
