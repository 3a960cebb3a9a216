"""Painting of scores: overlays, contours, maps, on a fixed scale anchored at the threshold.

A colour means the same score in every image: nothing here looks at the range of the picture it paints.
A browser can repeat every pixel, for after one float32 step all arithmetic is on whole numbers. With
``fround`` the rounding of a double to float32, ``//`` division rounded down, and *m* a score of the map:

1. level (0 to 255; 0 also for NaN):
   ``gain = fround(255 / (top - threshold))``,
   ``u = fround(fround(fround(m - fround(threshold)) * gain) + 0.5)``, ``q = floor(min(max(u, 0), 255))``
2. opacity of a level (``ALPHA_RAMP`` = 24; *opacity* in 0..1; doubles):
   ``r = min(q / 24, 1)``, ``A[q] = floor(255 * opacity * (r * r * (3 - 2 * r)) + 0.5)``
3. heat, per channel, over a picture value *v* of 0..255 with *c* = ``HEAT_TABLE[q]``:
   ``(v * (255 - A[q]) + c * A[q] + 127) // 255``
4. contour: *inside* is ``m > fround(threshold)``; ``w = max(1, floor(min(height, width) / 450 + 0.5))``.
   *Line* (``CONTOUR_LINE``): inside, and a pixel at most *w* rows and *w* columns away is not (pixels
   beyond the picture's edge are not inside). *Rim* (``CONTOUR_RIM``): not inside, and a pixel at most
   ``(w + 1) // 2`` rows and columns away is. Both are opaque and lie over the heat.
5. map picture: heat with opacity 1 over ``MAP_GROUND + floor(fround(fround(s * 40) + 0.5))``, where
   ``s = min(max(fround(m / fround(threshold)), 0), 1)`` (0 for NaN or for a threshold not above 0).

6. box, in every mode but "off", drawn last and cut at the picture's edges: ``b = w + 1`` with *w* of step 4. The outer
   *b* rows and columns of the box are its frame. A pixel of the frame is *line* where
   ``((row + column) // (3 * b)) % 2`` is 0, else *rim*; row and column count from the box's corner.

A float picture of 0..1 becomes 0..255 by ``floor(fround(fround(v * 255) + 0.5))``, clipped.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from patchcore.errors import DataError, SettingsError
from patchcore.maps.colours import (
    AGREED,
    ALPHA_RAMP,
    CONTOUR_LINE,
    CONTOUR_RIM,
    EXTRA,
    HEAT_TABLE,
    MAP_GREYS,
    MAP_GROUND,
    MISSED,
)

Mode = Literal["heat", "contour", "both", "off"]

_BAND_PIXELS = 2**18  # pixels painted at a time, so that working memory does not grow with the picture


@dataclass(frozen=True)
class HeatScale:
    """The colours of scores.

    Parameters
    ----------
    threshold
        Scores up to and including this one stay transparent.
    top
        Scores from here on take the last colour. Greater than the threshold.
    """

    threshold: float
    top: float

    def __post_init__(self) -> None:
        """Refuse a scale that cannot be painted."""
        if not (math.isfinite(self.threshold) and math.isfinite(self.top) and self.top > self.threshold):
            raise SettingsError(
                f"The heat scale needs a top ({self.top:g}) above its threshold ({self.threshold:g})."
            )
        if not 255 / (self.top - self.threshold) <= float(np.finfo(np.float32).max):
            raise SettingsError(
                f"The heat scale from {self.threshold!r} to {self.top!r} is too narrow to paint."
            )

    @classmethod
    def anchored(cls, threshold: float) -> HeatScale:
        """Make the usual scale: up to twice the threshold (one unit above it where that is not higher)."""
        return cls(threshold, 2 * threshold if threshold > 1e-30 else threshold + 1.0)

    def position(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give each score its place on the scale, float32: 0 up to the threshold, 1 from the top."""
        span = np.float32(self.top - self.threshold)
        with np.errstate(over="ignore"):
            place = (np.asarray(scores, np.float32) - np.float32(self.threshold)) / span
        clipped: NDArray[np.float32] = np.minimum(np.fmax(place, 0), 1)
        return clipped

    def level(self, scores: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Give each score its row in `HEAT_TABLE` (step 1 of the module's rule), same shape, uint8."""
        with np.errstate(over="ignore"):
            place = np.subtract(scores, np.float32(self.threshold), dtype=np.float32)
            place *= np.float32(255 / (self.top - self.threshold))
        place += np.float32(0.5)
        np.fmax(place, 0, out=place)
        np.minimum(place, 255, out=place)
        return place.astype(np.uint8)


def alpha_table(opacity: float) -> NDArray[np.uint8]:
    """Give the opacity of every level (step 2 of the module's rule), uint8 [256].

    Parameters
    ----------
    opacity
        Opacity of the heat well above the threshold, 0 (invisible) to 1.
    """
    if not 0 <= opacity <= 1:
        raise SettingsError(f"Opacity is between 0 and 1, not {opacity:g}.")
    ramp = np.minimum(np.arange(256) / ALPHA_RAMP, 1.0)
    alpha: NDArray[np.float64] = np.floor(255 * opacity * (ramp * ramp * (3 - 2 * ramp)) + 0.5)
    return alpha.astype(np.uint8)


def overlay(
    pixels: NDArray[np.float32] | NDArray[np.uint8],
    anomaly_map: NDArray[np.float32],
    scale: HeatScale,
    *,
    mode: Mode = "heat",
    opacity: float = 0.6,
    box: tuple[int, int, int, int] | None = None,
) -> NDArray[np.uint8]:
    """Paint the map over its picture.

    Parameters
    ----------
    pixels
        Picture, float 0..1 or uint8, [H, W, 3]. Left untouched.
    anomaly_map
        Scores in the picture's own pixels, float32 [H, W].
    mode
        Heat, contour around scores above the threshold, both, or neither.
    opacity
        Opacity of the heat, 0 to 1; contours are always opaque.
    box
        (x0, y0, x1, y1) in the picture's own pixels, half-open, drawn with dashes unless `mode` is "off": the place
        that decided (`patchcore.inspection.place_that_decided`). None for no box.

    Returns
    -------
    uint8 [H, W, 3]. Working memory beyond it stays small for any size of picture.
    """
    if mode not in ("heat", "contour", "both", "off"):
        raise SettingsError(f"An overlay is heat, contour, both or off, not {mode!r}.")
    scores = _checked_map(anomaly_map)
    if pixels.shape != (*scores.shape, 3):
        raise DataError(
            f"The map is {scores.shape} but the picture {pixels.shape}; they must show the same pixels."
        )
    painted = np.empty(pixels.shape, np.uint8)
    alpha = alpha_table(opacity)
    for rows in _bands(scores.shape):
        painted[rows] = _bytes(pixels[rows])
        if mode in ("heat", "both"):
            _blend(painted[rows], scale.level(scores[rows]), alpha)
    if mode in ("contour", "both"):
        _draw_contour(painted, scores > np.float32(scale.threshold))
    if mode != "off" and box is not None:
        _draw_box(painted, box)
    return painted


def map_picture(anomaly_map: NDArray[np.float32], scale: HeatScale) -> NDArray[np.uint8]:
    """Paint the whole map: heat above the threshold, dim greys below it, uint8 [H, W, 3]."""
    scores = _checked_map(anomaly_map)
    painted = np.empty((*scores.shape, 3), np.uint8)
    opaque = alpha_table(1.0)
    for rows in _bands(scores.shape):
        painted[rows] = _greys(scores[rows], scale.threshold)[..., None] + np.array(MAP_GROUND, np.uint8)
        _blend(painted[rows], scale.level(scores[rows]), opaque)
    return painted


def agreement_picture(
    pixels: NDArray[np.uint8] | NDArray[np.float32],
    agreed: NDArray[np.bool_],
    missed: NDArray[np.bool_],
    extra: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Draw the agreement of found and marked pixels over a picture.

    Each kind has a colour that colour-blind people can tell from the others (`colours.AGREED`, `MISSED`, `EXTRA`)
    and a pattern, so that it also reads in grey: agreed is filled, missed hatched like ``/``, extra like ``\\``.
    All have an outline.

    Parameters
    ----------
    pixels
        Picture, float 0..1 or uint8, [H, W, 3]. Left untouched.
    agreed, missed, extra
        As in `agreement.PixelAgreement`, bool [H, W].

    Returns
    -------
    uint8 [H, W, 3].
    """
    if not pixels.shape[:2] == agreed.shape == missed.shape == extra.shape:
        raise DataError(f"The comparison is {agreed.shape} but the picture {pixels.shape[:2]}.")
    painted = _bytes(pixels).copy()
    width = max(1, math.floor(min(agreed.shape) / 300 + 0.5))
    rows, columns = np.ogrid[: agreed.shape[0], : agreed.shape[1]]
    period = 6 * width
    rising, falling = (rows + columns) % period < 2 * width, (rows - columns) % period < 2 * width
    patterns = ((agreed, np.True_, AGREED), (missed, rising, MISSED), (extra, falling, EXTRA))
    for mask, pattern, colour in patterns:
        fill = mask & pattern
        painted[fill] = (painted[fill] + np.array(colour, np.uint16)) // 2
        painted[outline(mask, width)] = colour
    return painted


def outline(mask: NDArray[np.bool_], width: int = 1) -> NDArray[np.bool_]:
    """Give the pixels of a mask within `width` rows and columns of its edge, bool [H, W].

    The edge of the picture counts as an edge of the mask, so that every outline is closed.
    """
    core: NDArray[np.bool_] = ndimage.minimum_filter(mask, size=2 * width + 1, mode="constant", cval=0)
    return mask & ~core


def scaled_box(
    box: tuple[int, int, int, int], size: tuple[int, ...], scaled: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Bring a box from a picture of one size to the same picture at another size, grown to whole pixels.

    Parameters
    ----------
    box
        (x0, y0, x1, y1) in pixels, half-open.
    size, scaled
        (height, width, ...) of both.
    """
    down, across = scaled[0] / size[0], scaled[1] / size[1]
    x0, y0, x1, y1 = box
    return math.floor(x0 * across), math.floor(y0 * down), math.ceil(x1 * across), math.ceil(y1 * down)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture, uint8 [H, W] or [H, W, 3 or 4], as PNG, quickly rather than small."""
    if picture.dtype != np.uint8:
        raise DataError(f"A PNG is made of bytes; this picture holds {picture.dtype}.")
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _checked_map(anomaly_map: NDArray[np.float32]) -> NDArray[np.float32]:
    if anomaly_map.ndim != 2:
        raise DataError(f"An anomaly map has rows and columns; this one has the shape {anomaly_map.shape}.")
    return np.asarray(anomaly_map, dtype=np.float32)


def _bands(shape: tuple[int, ...]) -> list[slice]:
    rows = max(1, _BAND_PIXELS // max(1, shape[1]))
    return [slice(start, start + rows) for start in range(0, shape[0], rows)]


def _bytes(pixels: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    bright = np.asarray(pixels, np.float32) * np.float32(255)
    bright += np.float32(0.5)
    np.clip(bright, 0, 255, out=bright)
    return bright.astype(np.uint8)


def _blend(picture: NDArray[np.uint8], levels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    """Lay the heat over a picture in place (step 3); only the pixels that change are touched."""
    flat = picture.reshape(-1, 3)
    changed = np.flatnonzero(alpha[levels])
    level = levels.reshape(-1)[changed]
    opaque = alpha.astype(np.uint16)[:, None]
    mixed = flat[changed] * (255 - opaque)[level]
    mixed += (HEAT_TABLE * opaque + np.uint16(127))[level]
    # x // 255 for x below 65,408, without a division
    mixed += (mixed >> 8) + np.uint16(1)
    flat[changed] = mixed >> 8


def _greys(scores: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    if not np.float32(threshold) > 0:
        return np.zeros(scores.shape, np.uint8)
    with np.errstate(over="ignore"):
        share = np.divide(scores, np.float32(threshold), dtype=np.float32)
    share = np.minimum(np.fmax(share, 0), 1) * np.float32(MAP_GREYS)
    greys: NDArray[np.uint8] = (share + np.float32(0.5)).astype(np.uint8)
    return greys


def _draw_box(picture: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
    """Draw a dashed frame in place (step 6)."""
    x0, y0, x1, y1 = box
    part = picture[max(0, y0) : y1, max(0, x0) : x1]
    width = _contour_width(picture.shape) + 1
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    bright = (rows + columns) // (3 * width) % 2 == 0
    line = outline(np.ones(part.shape[:2], bool), width)
    part[line & bright] = CONTOUR_LINE
    part[line & ~bright] = CONTOUR_RIM


def _contour_width(shape: tuple[int, ...]) -> int:
    return max(1, math.floor(min(shape[:2]) / 450 + 0.5))


def _draw_contour(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> None:
    """Draw line and rim in place (step 4), looking only at the part of the picture that holds something."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if rows.size == 0:
        return
    width = _contour_width(inside.shape)
    rim = (width + 1) // 2
    window = (
        slice(max(0, rows[0] - rim), rows[-1] + rim + 1),
        slice(max(0, columns[0] - rim), columns[-1] + rim + 1),
    )
    inside = inside[window]
    part = picture[window]
    around = ndimage.maximum_filter(inside, size=2 * rim + 1, mode="constant", cval=0)
    part[around & ~inside] = CONTOUR_RIM
    part[outline(inside, width)] = CONTOUR_LINE
