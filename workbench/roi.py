"""The region of interest as the user gives it, in fractions of the image, and the mask it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError

Point = tuple[float, float]


@dataclass(frozen=True)
class Roi:
    """Polygons inside which parts are inspected; x and y as fractions of width and height, 0 to 1.

    Raises
    ------
    SettingsError
        When there is no polygon, one has fewer than three corners, or a corner lies outside the image.
    """

    polygons: tuple[tuple[Point, ...], ...]

    def __post_init__(self) -> None:
        """Check every corner."""
        if not self.polygons:
            raise SettingsError("The region of interest is empty. Draw it, or inspect the whole image.")
        for polygon in self.polygons:
            if len(polygon) < 3:
                raise SettingsError("A region of interest needs three corners or more.")
            if not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in polygon):
                raise SettingsError("The region of interest reaches beyond the image. Keep it inside.")

    @classmethod
    def rectangle(cls, x0: float, y0: float, x1: float, y1: float) -> Roi:
        """Return a rectangle from two opposite corners."""
        return cls((((x0, y0), (x1, y0), (x1, y1), (x0, y1)),))

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return bool [height, width]: True where a pixel's centre is inside any polygon."""
        x = (np.arange(width) + 0.5) / width
        y = (np.arange(height)[:, None] + 0.5) / height
        inside = np.zeros((height, width), bool)
        for polygon in self.polygons:
            inside |= _is_inside(polygon, x, y)
        return inside

    def to_dict(self) -> dict[str, Any]:
        """Return what the database holds."""
        return {"polygons": [[list(point) for point in polygon] for polygon in self.polygons]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Roi:
        """Return the region that `to_dict` described."""
        return cls(tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in data["polygons"]))


def _is_inside(
    polygon: tuple[Point, ...], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return bool [rows, columns]: whether a ray to the right crosses the outline an odd number of times."""
    odd = np.zeros((y.size, x.size), bool)
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        rows = np.flatnonzero((y[:, 0] < y0) != (y[:, 0] < y1))
        crossing = x0 + (y[rows] - y0) / (y1 - y0 or 1.0) * (x1 - x0)
        odd[rows] ^= x < crossing
    return odd
