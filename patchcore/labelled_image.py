"""What measuring asks of a labelled image, wherever it is kept."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.fitting import Source


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
