"""Owns the step from stored samples to float32 RGB in 0..1, by a stated range, never the image's own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import UnreadableImage
from patchcore.images.raw_image import RawImage, by_rows

_ROUNDING = 1e-6  # a float image may exceed 0..1 by this much: the last bit of an earlier computation
USUAL_DEPTHS = (8, 10, 12, 14)  # bits of camera sensors, delivered in 16-bit containers


def to_rgb(
    raw: RawImage,
    name: str,
    value_range: tuple[float, float] | None,
    background: tuple[float, float, float],
) -> tuple[NDArray[np.float32], float, float]:
    """Scale the samples of a picture, adding to its notes.

    Parameters
    ----------
    raw
        Samples [H, W] or [H, W, 3] of any real dtype.
    name
        For messages.
    value_range
        (black, white) in sample values; not used for data of 8 bits or fewer, palettes and CMYK.
    background
        RGB in 0..1 under transparent pixels.

    Returns
    -------
    pixels, lowest, highest
        [H, W, 3] float32 in 0..1; the smallest and the largest stored sample.

    Raises
    ------
    UnreadableImage
        Not finite, or values without a stated black and white.
    """
    lowest, highest = _extremes(raw.samples, name)
    if value_range is None or raw.fixed_scale:
        if value_range is not None:
            raw.notes.append("The value range was not applied: samples of 8 bits have a range of their own.")
        low, high = _container_range(raw, name, lowest, highest)
    else:
        low, high = value_range
        _note_outside(raw, low, high, lowest, highest)
    pixels = _scaled(raw.samples, low, high)
    if lowest < low or highest > high:
        np.clip(pixels, 0, 1, out=pixels)
    if raw.alpha is not None:
        _composite(pixels, raw, background)
    return pixels, lowest, highest


def _extremes(samples: NDArray[Any], name: str) -> tuple[float, float]:
    lowest, highest = float(samples.min()), float(samples.max())
    if not np.isfinite((lowest, highest)).all():  # min and max let NaN through
        count = int((~np.isfinite(samples)).sum())
        raise UnreadableImage(
            name,
            f"{count:,} of its values are NaN or infinite. Replace them where the image is made.",
        )
    return lowest, highest


def _container_range(raw: RawImage, name: str, lowest: float, highest: float) -> tuple[float, float]:
    if raw.peak is not None:
        if raw.bit_depth == 16 and not raw.fixed_scale:
            _note_unused_bits(raw, highest)
        return 0.0, raw.peak
    if raw.samples.dtype.kind == "f" and lowest >= -_ROUNDING and highest <= 1 + _ROUNDING:
        return 0.0, 1.0
    raise UnreadableImage(
        name,
        f"its {raw.samples.dtype} values run from {lowest:.6g} to {highest:.6g}, and nothing says which are "
        "black and white. Set a value range (black, white) and read it again.",
    )


def _note_unused_bits(raw: RawImage, highest: float) -> None:
    used = used_bits(highest)
    if used is not None and highest > 0:
        raw.notes.append(
            f"It has 16 bits, but no value above {2**used - 1}, as in {used}-bit data, which looks dark. The camera's "
            f"value range, such as 0 to {2**used - 1}, uses the full contrast."
        )


def used_bits(highest: float) -> int | None:
    """Return the depth of a camera whose largest value is `highest`, in a 16-bit file; None where all bits are used."""
    return next((bits for bits in USUAL_DEPTHS if highest < 2**bits), None)


def _note_outside(raw: RawImage, low: float, high: float, lowest: float, highest: float) -> None:
    if lowest >= low and highest <= high:
        return
    over = np.atleast_3d(raw.samples > high).any(axis=2)
    under = np.atleast_3d(raw.samples < low).any(axis=2)
    raw.notes.append(
        f"Values were clipped to the value range {low:g} to {high:g}: {int(over.sum()):,} pixels were above it, "
        f"{int(under.sum()):,} below."
    )


def _scaled(samples: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """Compute (samples - low) / (high - low), written once, straight into the RGB array."""
    wide = samples.dtype.itemsize >= 4 and samples.dtype != np.float32
    work = np.float64 if wide else np.float32
    pixels = np.empty((*samples.shape[:2], 3), np.float32)
    grey = samples[..., None] if samples.ndim == 2 else samples
    if low == 0:
        np.divide(grey, high, out=pixels, dtype=work, casting="same_kind")
    else:
        np.subtract(grey, low, out=pixels, dtype=work, casting="same_kind")
        pixels /= np.float32(high - low)
    return pixels


def _composite(pixels: NDArray[np.float32], raw: RawImage, background: tuple[float, float, float]) -> None:
    assert raw.alpha is not None
    for rows in by_rows(pixels.shape):
        part, alpha = pixels[rows], raw.alpha[rows, :, None]
        if not raw.premultiplied:
            part *= alpha
        part += (1 - alpha) * np.asarray(background, np.float32)
        np.clip(part, 0, 1, out=part)
    shade = "white" if min(background) == 1 else f"RGB {background}"
    raw.notes.append(f"Transparent pixels are shown on {shade}.")
