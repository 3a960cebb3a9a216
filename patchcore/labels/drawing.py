"""Marks that annotation files describe as outlines, ellipses and runs of pixels, and the pixels that they mark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from patchcore.errors import DataError
from patchcore.maps.outlines import Point, inside_ellipse, inside_polygon, window, window_area

Pixels = NDArray[np.bool_]
Shape = tuple[int, int]
BEYOND = 1.0  # pixels; outlines end so far outside an image by rounding
SAME_ASPECT = 0.02  # largest relative difference between two aspects that are taken as one
MOST_CORNERS = 1_000_000  # of all outlines of an image
MOST_AREA = 4_000_000_000  # pixels, of all windows that are drawn into
COARSEST_ASPECT = 0.1  # the same, for pictures of so few pixels that rounding matters


@dataclass(frozen=True)
class Polygon:
    """An outline, in pixels of the annotated image; (0, 0) is the outer corner of its first pixel."""

    points: tuple[Point, ...]

    def scaled(self, x: float, y: float) -> "Polygon":
        """Return the same outline in an image of another size."""
        return Polygon(tuple((px * x, py * y) for px, py in self.points))

    def paint(self, pixels: Pixels) -> None:
        """Mark the pixels inside; of an outline that is too thin for any centre, the pixels on it."""
        rows, columns = window(self.points, pixels.shape[0], pixels.shape[1])
        inside = inside_polygon(self.points, rows, columns)
        if inside.any():
            pixels[rows, columns] |= inside
        else:
            _paint_path(self.points, pixels)

    def area(self, shape: Shape) -> int:
        """Return the pixels of the window to draw into."""
        return window_area(window(self.points, shape[0], shape[1]))

    def is_beyond(self, shape: Shape) -> bool:
        """Whether it reaches out of an image."""
        return any(
            not (-BEYOND <= x <= shape[1] + BEYOND and -BEYOND <= y <= shape[0] + BEYOND)
            for x, y in self.points
        )


@dataclass(frozen=True)
class Ellipse:
    """An ellipse: centre and radii in pixels, and its turn in degrees, clockwise."""

    centre: Point
    radii: Point
    degrees: float = 0.0

    def scaled(self, x: float, y: float) -> "Ellipse":
        """Return the same ellipse in an image of another size."""
        (cx, cy), (rx, ry) = self.centre, self.radii
        return Ellipse((cx * x, cy * y), (rx * x, ry * y), self.degrees)

    def paint(self, pixels: Pixels) -> None:
        """Mark the pixels inside; of an ellipse that is too small for any centre, the pixel at its middle."""
        rows, columns = window([self.centre], pixels.shape[0], pixels.shape[1], max(self.radii))
        inside = inside_ellipse(self.centre, self.radii, self.degrees, rows, columns)
        if inside.any():
            pixels[rows, columns] |= inside
        else:
            _paint_path([self.centre, self.centre], pixels)

    def area(self, shape: Shape) -> int:
        """Return the pixels of the window to draw into."""
        return window_area(window([self.centre], shape[0], shape[1], max(self.radii)))

    def is_beyond(self, shape: Shape) -> bool:
        """Whether it reaches out of an image."""
        return not (
            self.centre[0] + self.radii[0] <= shape[1] + BEYOND
            and self.centre[1] + self.radii[1] <= shape[0] + BEYOND
            and self.centre[0] - self.radii[0] >= -BEYOND
            and self.centre[1] - self.radii[1] >= -BEYOND
        )


@dataclass(frozen=True)
class Runs:
    """Pixels as the lengths of runs, unmarked and marked in turn, the first one unmarked.

    Attributes
    ----------
    counts
        Lengths of the runs, [n] int64; together `height` times `width`.
    height, width
        Of the picture that the runs fill, in pixels.
    left, top
        Its place in the image.
    by_columns
        Whether the runs go down the columns, as in COCO, or along the rows.
    """

    counts: NDArray[np.int64]
    height: int
    width: int
    left: int = 0
    top: int = 0
    by_columns: bool = False

    def pixels(self) -> Pixels:
        """Return the described picture, bool [height, width]."""
        flat = np.repeat(np.arange(self.counts.size) % 2 == 1, self.counts)
        if self.by_columns:
            return flat.reshape(self.width, self.height).T
        return flat.reshape(self.height, self.width)

    def area(self, shape: Shape) -> int:
        """Return the pixels of the described picture."""
        return self.height * self.width

    def is_beyond(self, shape: Shape) -> bool:
        """Whether it reaches out of an image."""
        return (
            min(self.left, self.top) < 0
            or self.left + self.width > shape[1]
            or self.top + self.height > shape[0]
        )

    def paint(self, pixels: Pixels) -> None:
        """Mark the pixels that lie in the image."""
        height, width = pixels.shape
        top, left = max(0, self.top), max(0, self.left)
        bottom, right = min(height, self.top + self.height), min(width, self.left + self.width)
        if top < bottom and left < right:
            own = self.pixels()[top - self.top : bottom - self.top, left - self.left : right - self.left]
            pixels[top:bottom, left:right] |= own


Mark = Polygon | Ellipse | Runs


@dataclass(frozen=True)
class Drawing:
    """The marks of one image, from an annotation file.

    Attributes
    ----------
    parts
        In the file's order.
    size
        (H, W) of the annotated image; None where the file does not say.
    """

    parts: tuple[Mark, ...]
    size: Shape | None = None

    def marks(self, shape: Shape) -> tuple[Pixels, frozenset[str]]:
        """Draw the marks on an image of a size (H, W): ([H, W] bool, keys of `patchcore.labels.masks.NOTES`).

        Raises
        ------
        DataError
            The annotated image had other proportions.
        """
        size = self.size or shape
        require_aspect("annotated image", size, shape)
        self._require_small(size)
        pixels, runs = np.zeros(shape, bool), np.zeros(size, bool)
        for part in self.parts:
            if isinstance(part, Runs):
                part.paint(runs)
            else:
                part.scaled(shape[1] / size[1], shape[0] / size[0]).paint(pixels)
        if runs.any():
            pixels |= resized(runs, shape)
        notes = {"scaled"} if size != shape else set[str]()
        if any(part.is_beyond(size) for part in self.parts):
            notes.add("outside")
        return pixels, frozenset(notes)

    def _require_small(self, size: Shape) -> None:
        """Refuse marks that would take minutes to draw."""
        corners = sum(len(part.points) for part in self.parts if isinstance(part, Polygon))
        area = sum(part.area(size) for part in self.parts)
        if corners > MOST_CORNERS or area > MOST_AREA:
            raise DataError(
                f"Its annotation has {len(self.parts):,} shapes with {corners:,} corners over {area:,} pixels, which "
                "is too much to draw. Export it as a mask."
            )


def require_aspect(what: str, size: Sequence[int], shape: Sequence[int]) -> None:
    """Refuse a size (H, W) of other proportions than an image's.

    Raises
    ------
    DataError
        The proportions differ by more than rounding to whole pixels.
    """
    if not same_aspect(size, shape):
        turned = " It may be turned by a quarter." if same_aspect(size[::-1], shape) else ""
        raise DataError(
            f"The {what} is {size_words(size)} but the image {size_words(shape)}; it needs the image's size or its "
            f"proportions.{turned}"
        )


def same_aspect(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two sizes (H, W) have the same proportions, rounding to whole pixels aside."""
    ratio = (second[0] / first[0]) / (second[1] / first[1])
    rounding = min(1 / min(*first, *second), COARSEST_ASPECT)
    return bool(abs(ratio - 1) <= max(SAME_ASPECT, rounding))


def resized(pixels: Pixels, shape: Shape) -> Pixels:
    """Scale marks to (H, W) by the nearest pixel."""
    if pixels.shape == shape:
        return pixels
    rows = ((np.arange(shape[0]) + 0.5) * pixels.shape[0] / shape[0]).astype(np.intp)
    columns = ((np.arange(shape[1]) + 0.5) * pixels.shape[1] / shape[1]).astype(np.intp)
    return np.asarray(pixels[np.ix_(rows, columns)])


def size_words(size: Sequence[int]) -> str:
    """Return a size (H, W) in words, width first."""
    return " × ".join(str(side) for side in reversed(size))


def _paint_path(points: Sequence[Point], pixels: Pixels) -> None:
    """Mark the pixels that a path goes through."""
    height, width = pixels.shape
    canvas = Image.new("L", (width, height))
    path = [(math.floor(min(max(x, -1), width)), math.floor(min(max(y, -1), height))) for x, y in points]
    ImageDraw.Draw(canvas).line(path, fill=1)
    pixels |= np.asarray(canvas, bool)
