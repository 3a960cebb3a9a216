"""The region of interest as the user gives it, in fractions of the image, and the mask it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Roi:
    """Polygons inside which parts are inspected; x and y as fractions of width and height, 0 to 1.

    Raises
    ------
    SettingsError
        When a polygon has fewer than three corners, or a corner lies outside the image.
    """

    polygons: tuple[tuple[tuple[float, float], ...], ...]

    @classmethod
    def rectangle(cls, x0: float, y0: float, x1: float, y1: float) -> Roi:
        """Return a rectangle from two opposite corners."""
        raise NotImplementedError

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return bool [height, width], True inside any polygon."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return what the database holds."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Roi:
        """Return the region that `to_dict` described."""
        raise NotImplementedError
