"""One image of an annotation file: its labelled marks, and the checks that every kind of file shares."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.images.file_names import quoted
from patchcore.labels.drawing import Ellipse, Mark, Polygon, Runs
from patchcore.labels.words import LONGEST_LABEL
from patchcore.maps.outlines import Point

FARTHEST = 1e6  # pixels; no coordinate is larger
LONGEST_NAME = 4096  # characters of an image's path
LONGEST_SIDE = 1_000_000  # pixels
MOST_PIXELS = 120_000_000
MOST_POINTS = 100_000  # of one outline


@dataclass
class AnnotatedImage:
    """The marks of an image, as an annotation file has them.

    Attributes
    ----------
    name
        Path or name of the image, as written.
    size
        (H, W) as written; None where the file does not say.
    marks
        (label, mark), in the file's order.
    ignored
        Kinds of shapes without an area, such as lines, with their numbers.
    faults
        A sentence for each shape that cannot be drawn.
    """

    name: str
    size: tuple[int, int] | None = None
    marks: list[tuple[str, Mark]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Cut a name that no disk takes."""
        self.name = self.name[:LONGEST_NAME]

    def add(self, label: str, make: Callable[..., Iterable[Mark]], *arguments: Any) -> None:
        """Add the marks that `make` gives for one shape; a shape that is not sound becomes a fault."""
        try:
            self.marks += [(label[:LONGEST_LABEL], mark) for mark in make(*arguments)]
        except (DataError, TypeError, ValueError, KeyError, IndexError, OverflowError) as fault:
            why = str(fault) if isinstance(fault, DataError) else "it is not written as it should be"
            self.faults.append(f"the shape {quoted(label, LONGEST_LABEL)!r} cannot be drawn: {why}")


def number(value: Any, least: float = -FARTHEST, most: float = FARTHEST) -> float:
    """Return a finite number within bounds.

    Raises
    ------
    DataError
        The value is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DataError(f"it has a value of the kind {type(value).__name__} instead of a number")
    try:
        found = float(value)
    except (ValueError, OverflowError) as fault:
        raise DataError(f"{str(value)[:40]!a} is not a number") from fault
    if not math.isfinite(found) or not least <= found <= most:
        raise DataError(f"{found:g} lies outside {least:g} to {most:g}")
    return found


def image_size(height: Any, width: Any) -> tuple[int, int] | None:
    """Return a written size as (H, W); None for a missing, zero or impossible one."""
    try:
        size = int(number(height, 1, LONGEST_SIDE)), int(number(width, 1, LONGEST_SIDE))
    except DataError:
        return None
    return size if size[0] * size[1] <= MOST_PIXELS else None


def polygon(points: Sequence[Sequence[Any]]) -> Polygon:
    """Return an outline from its corners.

    Raises
    ------
    DataError
        Fewer than three points, too many, or one of them is not a pair of numbers.
    """
    if not 3 <= len(points) <= MOST_POINTS:
        raise DataError(f"it has {len(points):,} points; an outline needs 3 to {MOST_POINTS:,}")
    return Polygon(tuple(point(one) for one in points))


def point(values: Sequence[Any]) -> Point:
    """Return a pair of numbers."""
    if len(values) != 2:
        raise DataError("one of its points is not a pair of numbers")
    return number(values[0]), number(values[1])


def rectangle(first: Point, second: Point, degrees: float = 0.0) -> Polygon:
    """Return a rectangle from two opposite corners, turned clockwise about its middle.

    Raises
    ------
    DataError
        It has no area.
    """
    (left, right), (top, bottom) = sorted((first[0], second[0])), sorted((first[1], second[1]))
    if left == right or top == bottom:
        raise DataError("it has no area")
    x, y = (left + right) / 2, (top + bottom) / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Polygon(
        tuple(
            (x + (px - x) * cosine - (py - y) * sine, y + (px - x) * sine + (py - y) * cosine)
            for px, py in corners
        )
    )


def ellipse(centre: Point, radii: Point, degrees: float = 0.0) -> Ellipse:
    """Return an ellipse.

    Raises
    ------
    DataError
        A radius is not above zero.
    """
    if min(radii) <= 0:
        raise DataError("its radius is not above zero")
    return Ellipse(centre, radii, degrees)


def runs(counts: Sequence[Any] | NDArray[np.int64], height: int, width: int, **place: Any) -> Runs:
    """Return runs of pixels.

    Raises
    ------
    DataError
        A length is not a whole number from 0, or the lengths do not fill the picture.
    """
    if height < 1 or width < 1 or height * width > MOST_PIXELS:
        raise DataError(f"its runs fill a picture of {width} × {height} pixels, which is not possible")
    if len(counts) > height * width + 2:
        raise DataError("it has more runs than pixels")
    lengths = np.asarray(counts)
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or (lengths < 0).any():
        raise DataError("its runs are not whole numbers from 0")
    if (lengths > height * width).any() or int(lengths.sum()) != height * width:
        raise DataError(
            f"its runs do not fill {width} × {height} = {height * width:,} pixels; export it for the image's size"
        )
    return Runs(lengths.astype(np.int64), height, width, **place)
