"""Anomaly maps on disk: PNG of 16 bits with its scale, so that a map is small, exact enough and viewable.

A step is the map's largest value / 65,535. The map of an image with a side above 512 pixels is kept at that size:
it was computed at the network's, and is smooth over a fiftieth of its side (paper §3.3). What comes back differs from
what was written by at most 0.3 % of the largest value.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
from numpy.typing import NDArray

LARGEST_SIDE = 512
STEPS = 65_535
TOP = "patchcore:top"  # what STEPS stands for, in units of the score, as a hexadecimal float
SIZE = "patchcore:size"  # of the image, height and width


def write_map(path: Path | BinaryIO, anomaly_map: NDArray[np.float32]) -> None:
    """Write a map, float32 [H, W], not negative."""
    height, width = anomaly_map.shape
    values = _resized(anomaly_map, shape_within((height, width), LARGEST_SIDE))
    top = float(values.max()) or 1.0
    about = PIL.PngImagePlugin.PngInfo()
    about.add_text(TOP, top.hex())
    about.add_text(SIZE, f"{height} {width}")
    steps = np.rint(np.clip(values / np.float32(top), 0, 1) * STEPS).astype(np.uint16)
    PIL.Image.fromarray(steps).save(path, format="PNG", compress_level=1, pnginfo=about)


def read_map(path: Path | BinaryIO) -> NDArray[np.float32]:
    """Read a map, float32 [H, W] in units of the score, in the image's own pixels."""
    with PIL.Image.open(path) as picture:
        assert isinstance(picture, PIL.PngImagePlugin.PngImageFile)
        picture.load()
        top = float.fromhex(str(picture.text[TOP]))
        height, width = (int(side) for side in str(picture.text[SIZE]).split())
        values = np.asarray(picture, dtype=np.float32) * np.float32(top / STEPS)
    return _resized(values, (height, width))


def as_stored(anomaly_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a map as it would come back from disk, so that what is found in it is found there too."""
    buffer = io.BytesIO()
    write_map(buffer, anomaly_map)
    return read_map(buffer)


def shape_within(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Return (height, width) shrunk so that the longest side is at most `side`, proportions kept."""
    factor = min(1.0, side / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _resized(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    if values.shape == shape:
        return values
    smaller = shape[0] < values.shape[0] or shape[1] < values.shape[1]
    way = PIL.Image.Resampling.BILINEAR if smaller else PIL.Image.Resampling.BICUBIC
    picture = PIL.Image.fromarray(np.ascontiguousarray(values, np.float32))
    resized = picture.resize((shape[1], shape[0]), way)
    return np.maximum(np.asarray(resized, dtype=np.float32), 0)  # cubic interpolation swings a little
