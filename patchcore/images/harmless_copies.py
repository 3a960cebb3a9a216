"""Harmless copies of a picture: disturbances that change a file and nothing about the part that it shows."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchcore.images.geometry import resize

LONGEST_SIDE = 4096  # pixels; a larger picture is shrunk first, because the network's input is far smaller
LEVEL = np.float32(1 / 255)
_NOISE_SIDE = 256  # noise is repeated beyond so many pixels

Pixels = NDArray[np.float32]


def harmless_copies(pixels: Pixels) -> tuple[list[Pixels], list[Pixels]]:
    """Render harmless copies of a picture [H, W, 3], float32 RGB in 0..1; the same ones at every call.

    Returns
    -------
    gentle
        Noise of one level of 255, one level brighter, one level darker, a JPEG of quality 95 with full colour.
    rough
        A JPEG of quality 70 (75 is usual, and changes a picture that was saved so only a little), and the next frame
        of a video: cropped by one pixel, a little brighter, with noise.
    """
    longest = max(pixels.shape[:2])
    if longest > LONGEST_SIDE:
        height, width = (max(1, side * LONGEST_SIDE // longest) for side in pixels.shape[:2])
        pixels = resize(pixels, (height, width))
    down, across = (int(side > 1) for side in pixels.shape[:2])
    gentle = [
        _noisy(pixels),
        _clipped(pixels + LEVEL),
        _clipped(pixels - LEVEL),
        _jpeg(pixels, 95, full_colour=True),
    ]
    return gentle, [_jpeg(pixels, 70), _noisy(pixels[down:, across:] * (1 + LEVEL))]


def _jpeg(pixels: Pixels, quality: int, *, full_colour: bool = False) -> Pixels:
    packed = io.BytesIO()
    picture = Image.fromarray(np.rint(_clipped(pixels) * 255).astype(np.uint8))
    picture.save(packed, "JPEG", quality=quality, subsampling=0 if full_colour else 2)
    return np.asarray(Image.open(packed, formats=("JPEG",)), np.float32) * LEVEL


def _noisy(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(0).standard_normal((_NOISE_SIDE, _NOISE_SIDE, 3), np.float32)
    repeats = [-(-side // _NOISE_SIDE) for side in pixels.shape[:2]]
    height, width = pixels.shape[:2]
    return _clipped(pixels + LEVEL * np.tile(noise, (*repeats, 1))[:height, :width])


def _clipped(pixels: Pixels) -> Pixels:
    return np.asarray(pixels.clip(0, 1), np.float32)
