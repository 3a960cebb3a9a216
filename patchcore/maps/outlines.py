"""The pixels inside polygons and ellipses: a pixel is inside when its centre is."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]


def window(points: Sequence[Point], height: int, width: int, margin: float = 0.0) -> tuple[slice, slice]:
    """Return the rows and columns of a picture whose centres lie within the bounds of points, and a margin more."""
    x, y = np.array(list(points), np.float64).T

    def span(low: float, high: float, size: int) -> slice:
        start = math.ceil(min(size, max(0, low - margin - 0.5)))
        return slice(start, max(start, math.ceil(min(size, max(0, high + margin - 0.5)))))

    return span(y.min(), y.max(), height), span(x.min(), x.max(), width)


def window_area(place: tuple[slice, slice]) -> int:
    """Return the number of pixels in a window."""
    rows, columns = place
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def inside_polygon(points: Sequence[Point], rows: slice, columns: slice) -> NDArray[np.bool_]:
    """Return the pixels of a window inside an outline, bool [rows, columns], by its winding number.

    The non-zero rule is the browser canvas's own: a self-crossing outline has no holes where it runs the same way
    round.

    Parameters
    ----------
    points
        (x, y) in pixels, (0, 0) being the outer corner of the first pixel; the last one joins the first.
    rows, columns
        The window, in pixels.
    """
    height, width = rows.stop - rows.start, columns.stop - columns.start
    turns = np.zeros((height, width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        first, last = (_row(min(y0, y1), rows), _row(max(y0, y1), rows))
        if first < last:
            crossed = np.arange(first, last)
            at = x0 + (crossed + rows.start + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
            left = np.clip(np.ceil(at - 0.5) - columns.start, 0, width).astype(np.intp)
            turn = 1 if y1 > y0 else -1
            turns[crossed, 0] += turn
            turns[crossed, left] -= turn
    inside: NDArray[np.bool_] = np.cumsum(turns, axis=1)[:, :width] != 0
    return inside


def inside_ellipse(
    centre: Point, radii: Point, degrees: float, rows: slice, columns: slice
) -> NDArray[np.bool_]:
    """Return the pixels of a window inside an ellipse, bool [rows, columns].

    Parameters
    ----------
    centre, radii
        In pixels; the radii along x and y before the turn.
    degrees
        The turn about the centre, clockwise in the picture.
    """
    y = np.arange(rows.start, rows.stop)[:, None] + 0.5 - centre[1]
    x = np.arange(columns.start, columns.stop)[None, :] + 0.5 - centre[0]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, across = (x * cosine + y * sine) / radii[0], (y * cosine - x * sine) / radii[1]
    return np.asarray(along**2 + across**2 <= 1)


def _row(y: float, rows: slice) -> int:
    """Return the first row of a window whose centre is not above y."""
    return math.ceil(min(float(rows.stop), max(float(rows.start), y - 0.5))) - int(rows.start)
