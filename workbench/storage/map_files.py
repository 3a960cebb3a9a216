"""Anomaly maps on disk: PNG of 16 bits with its scale, so that a map is small, exact enough and viewable.

A step is the map's largest value / 65,535. The map of an image with a side above 512 pixels is kept at that size:
it was computed at the network's, and is smooth over a fiftieth of its side (paper §3.3). A map read back differs from
the map written by at most 0.3 % of the largest value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.images.raw_image import Limits
from workbench.storage.stored_pictures import stored_picture

LARGEST_SIDE = 512
STEPS = 65_535
TOP = "patchcore:top"  # the score that STEPS stands for, as a hexadecimal float
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES = 1024  # signature, IHDR and both texts
SIZE = "patchcore:size"  # size of the image, height and width


@dataclass(frozen=True)
class KeptMap:
    """A map in its stored form.

    Attributes
    ----------
    steps
        uint16 [h, w], at the stored size.
    top
        The score that `STEPS` stands for.
    size
        Size of the image, (height, width) in pixels.
    """

    steps: NDArray[np.uint16]
    top: float
    size: tuple[int, int]

    @classmethod
    def of(cls, anomaly_map: NDArray[np.float32]) -> KeptMap:
        """Quantise a map, float32 [H, W], not negative, to its stored form."""
        height, width = anomaly_map.shape
        values = _resized(anomaly_map, shape_within((height, width), LARGEST_SIDE))
        top = float(values.max()) or 1.0
        steps = np.rint(np.clip(values / np.float32(top), 0, 1) * STEPS).astype(np.uint16)
        return cls(steps, top, (height, width))

    @classmethod
    def read(cls, path: Path | BinaryIO) -> KeptMap:
        """Read a PNG that `write` wrote.

        Raises
        ------
        OSError
            There is no such file.
        DataError
            It is no map, damaged, or declares an impossible size or scale.
        """
        with stored_picture(path, "PNG") as picture:
            assert isinstance(picture, PIL.PngImagePlugin.PngImageFile)
            picture.load()
            top = float.fromhex(str(picture.text[TOP]))
            height, width = (int(side) for side in str(picture.text[SIZE]).split())
            steps = np.asarray(picture)
            if not (math.isfinite(top) and top > 0 and steps.ndim == 2):
                raise DataError("the stored map has no scale.")
            if min(height, width) < 1 or height * width > Limits().max_pixels:
                raise DataError(f"the stored map declares an image of {width} × {height} pixels.")
            return cls(steps.astype(np.uint16), top, (height, width))

    def write(self, path: Path | BinaryIO) -> None:
        """Write the map as a PNG."""
        about = PIL.PngImagePlugin.PngInfo()
        about.add_text(TOP, self.top.hex())
        about.add_text(SIZE, f"{self.size[0]} {self.size[1]}")
        PIL.Image.fromarray(self.steps).save(path, format="PNG", compress_level=1, pnginfo=about)

    def small(self) -> NDArray[np.float32]:
        """Return the scores at the stored size, float32 [h, w]."""
        values: NDArray[np.float32] = self.steps.astype(np.float32) * np.float32(self.top / STEPS)
        return values

    def full(self) -> NDArray[np.float32]:
        """Return the scores in the image's own pixels, float32 [H, W]."""
        return _resized(self.small(), self.size)


def highest_score(path: Path) -> float | None:
    """Return the highest score of the map that `read_map` reads from a file, without unpacking it.

    None where it takes unpacking: the map is kept smaller than its image, and the way back changes its highest score.
    None for a damaged head too; reading the map says what is wrong with it.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kept, texts = _head(head)
    try:
        size, top = tuple(map(int, texts[SIZE].split())), float.fromhex(texts[TOP])
    except (KeyError, ValueError, OverflowError):
        return None
    # A map of zeros has the scale 1 and no such step.
    is_plain = size == kept and math.isfinite(top) and top > 0 and top != 1.0
    return float(np.float32(STEPS) * np.float32(top / STEPS)) if is_plain else None


def _head(data: bytes) -> tuple[tuple[int, int] | None, dict[str, str]]:
    """Read height and width of a PNG, and the texts that stand in front of its pixels."""
    size, texts, place = None, {}, len(PNG_SIGNATURE)
    while data.startswith(PNG_SIGNATURE) and place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        content = data[place + 8 : place + 8 + length]
        if kind == b"IDAT" or len(content) < length:
            break
        if kind == b"IHDR":
            size = int.from_bytes(content[4:8]), int.from_bytes(content[:4])
        elif kind == b"tEXt":
            name, _, text = content.partition(b"\0")
            texts[name.decode("latin-1")] = text.decode("latin-1")
        place += 12 + length
    return size, texts


def write_map(path: Path | BinaryIO, anomaly_map: NDArray[np.float32]) -> None:
    """Write a map, float32 [H, W], not negative."""
    KeptMap.of(anomaly_map).write(path)


def read_map(path: Path | BinaryIO) -> NDArray[np.float32]:
    """Read a map, float32 [H, W] in units of the score, in the image's own pixels."""
    return KeptMap.read(path).full()


def as_stored(anomaly_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a map as it would come back from disk, so that regions found now are found again later."""
    return KeptMap.of(anomaly_map).full()


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
