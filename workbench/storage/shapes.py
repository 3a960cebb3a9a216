"""The shapes a region of interest is drawn with, and the mask they make in the original's pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.maps.outlines import inside_polygon, window

Kind = Literal["rectangle", "polygon", "brush", "mask"]
_LEAST_POINTS = {"rectangle": 2, "polygon": 3, "brush": 1, "mask": 0}


@dataclass(frozen=True)
class Shape:
    """One step of a drawing.

    Parameters
    ----------
    kind
        Rectangle (two opposite corners), polygon (its corners), brush (its path), or the mask the drawing began with.
    points
        (x, y) in pixels of the original, (0, 0) being the outer corner of the first pixel.
    cut
        Whether the shape is taken away instead of added.
    radius
        Of the brush, pixels.
    """

    kind: Kind
    points: tuple[tuple[float, float], ...] = ()
    cut: bool = False
    radius: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        points = [list(point) for point in self.points]
        return {"kind": self.kind, "points": points, "cut": self.cut, "radius": self.radius}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Shape:
        """Read a shape written by `to_dict` or by the browser.

        Raises
        ------
        DataError
            When the values are not a shape.
        """
        kind = values.get("kind")
        try:
            points = tuple((float(x), float(y)) for x, y in values.get("points", ()))
            radius = float(values.get("radius", 0.0))
        except (TypeError, ValueError) as error:
            raise DataError("The drawn region holds a shape whose points are not numbers.") from error
        finite = all(map(math.isfinite, (radius, *(value for point in points for value in point))))
        if kind not in _LEAST_POINTS or len(points) < _LEAST_POINTS[kind] or not finite:
            raise DataError(
                f"The drawn region holds something that is not a shape: {kind!r}, {len(points)} points."
            )
        return cls(kind, points, bool(values.get("cut", False)), radius)


def mask_of(
    shapes: Sequence[Shape], height: int, width: int, base: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return the mask of a drawing, bool [height, width]: a pixel is inside when its centre is.

    Shapes apply in their order. Without shapes everything is inside; a first shape that cuts, cuts from everything.

    Parameters
    ----------
    base
        The mask behind a shape of kind "mask", same size.
    """
    mask = np.full((height, width), not shapes or shapes[0].cut)
    for shape in shapes:
        rows, columns, inside = _pixels_of(shape, height, width, base)
        mask[rows, columns] = mask[rows, columns] & ~inside if shape.cut else mask[rows, columns] | inside
    return mask


Window = tuple[slice, slice, NDArray[np.bool_]]


def _pixels_of(shape: Shape, height: int, width: int, base: NDArray[np.bool_] | None) -> Window:
    if shape.kind == "mask":
        if base is None or base.shape != (height, width):
            raise DataError("The drawn region starts from a mask that is not there or of another size.")
        return slice(0, height), slice(0, width), base
    rows, columns = window(shape.points, height, width, shape.radius if shape.kind == "brush" else 0.0)
    if shape.kind == "rectangle":
        return rows, columns, np.ones((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
    if shape.kind == "polygon":
        return rows, columns, inside_polygon(shape.points, rows, columns)
    return rows, columns, _under_brush(shape, rows, columns)


def _under_brush(shape: Shape, rows: slice, columns: slice) -> NDArray[np.bool_]:
    """Return the centres at most the radius away from the brush's path."""
    inside = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
    pairs = zip(shape.points, shape.points[1:] or shape.points, strict=False)
    for start, end in pairs:
        part_rows, part_columns = window((start, end), rows.stop, columns.stop, shape.radius)
        y = np.arange(part_rows.start, part_rows.stop)[:, None] + 0.5 - start[1]
        x = np.arange(part_columns.start, part_columns.stop)[None, :] + 0.5 - start[0]
        along_x, along_y = end[0] - start[0], end[1] - start[1]
        length = along_x**2 + along_y**2
        share = np.clip((x * along_x + y * along_y) / length, 0, 1) if length else np.zeros(1)
        near = (x - share * along_x) ** 2 + (y - share * along_y) ** 2 <= shape.radius**2
        here = (
            slice(part_rows.start - rows.start, part_rows.stop - rows.start),
            slice(part_columns.start - columns.start, part_columns.stop - columns.start),
        )
        inside[here] |= near
    return inside
