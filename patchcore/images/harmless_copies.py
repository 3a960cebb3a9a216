"""Harmless copies of a picture: disturbances that change a file and nothing about the part that it shows."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchcore.images.geometry import resize

LONGEST_SIDE = 4096  # pixels; a larger picture is shrunk first, because the network's input is far smaller
LEVEL = np.float32(1 / 255)
_NOISE_SIDE = 256  # noise is repeated beyond so many pixels

Pixels = NDArray[np.float32]


def harmless_copies(
    pixels: Pixels, reduced: Callable[[Pixels], Pixels] = lambda copy: copy
) -> tuple[list[Pixels], list[Pixels]]:
    """Render harmless copies of a picture [H, W, 3], float32 RGB in 0..1; the same ones at every call.

    Parameters
    ----------
    reduced
        Applied to each copy before the next one is rendered: six copies of 8 megapixels take 600 MB.

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
        reduced(_noisy(pixels)),
        reduced(_clipped(pixels + LEVEL)),
        reduced(_clipped(pixels - LEVEL)),
        reduced(_jpeg(pixels, 95, full_colour=True)),
    ]
    return gentle, [
        reduced(_jpeg(pixels, 70)),
        reduced(_noisy(pixels[down:, across:] * (1 + LEVEL))),
    ]


def _jpeg(pixels: Pixels, quality: int, *, full_colour: bool = False) -> Pixels:
    packed = io.BytesIO()
    levels = pixels * np.float32(255)
    picture = Image.fromarray(np.rint(levels, out=levels).clip(0, 255).astype(np.uint8))
    picture.save(packed, "JPEG", quality=quality, subsampling=0 if full_colour else 2)
    return np.asarray(Image.open(packed, formats=("JPEG",)), np.float32) * LEVEL


def _noisy(pixels: Pixels) -> Pixels:
    noise = LEVEL * np.random.default_rng(0).standard_normal((_NOISE_SIDE, _NOISE_SIDE, 3), np.float32)
    noisy = np.empty_like(pixels)
    for top in range(0, pixels.shape[0], _NOISE_SIDE):
        for left in range(0, pixels.shape[1], _NOISE_SIDE):
            tile = np.s_[top : top + _NOISE_SIDE, left : left + _NOISE_SIDE]
            height, width = pixels[tile].shape[:2]
            np.add(pixels[tile], noise[:height, :width], out=noisy[tile])
    return _clipped(noisy)


def _clipped(pixels: Pixels) -> Pixels:
    """Clip an array of its own in place."""
    return np.clip(pixels, 0, 1, out=pixels)
