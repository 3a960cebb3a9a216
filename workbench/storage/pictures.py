"""Pictures: an image and its map as one file for the browser, encoded once, then kept on disk or in memory.

A file is ``b"PCT1"``, the header's length (uint32, little-endian), the header (JSON: sizes, types, the map's step),
the image (PNG or WebP) and the map (see `workbench.storage.map_codec`).
"""

import io
import json
import os
import posixpath
import stat
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchcore.errors import DataError
from workbench.storage.map_codec import encode_map
from workbench.storage.places import require_portable_path
from workbench.storage.recently_used import Latest
from workbench.storage.workspace import Workspace

Pixels = NDArray[np.float32] | NDArray[np.uint8]
ImageType = Literal["webp", "png"]
TILE_SIDE = 224
MAP_SIDE = 1024
WEBP_QUALITY = 88
CACHE_BYTES = 512 * 2**20
_MAGIC = b"PCT1"


@dataclass(frozen=True)
class TileFile:
    """A tile on disk, which is read when a browser asks for it: a page of thousands reads none itself.

    Attributes
    ----------
    map_path
        `Result.map_path` of the map beside it.
    state
        The file's number, bytes, and time of the last change in nanoseconds: other contents have another state.
    """

    workspace: Workspace
    map_path: str
    state: tuple[int, int, int]

    @classmethod
    def find(cls, workspace: Workspace, map_path: str) -> Self | None:
        """Return the tile beside a map; None where there is none.

        Nothing is opened here, so links are not followed; `read` refuses those in the folders above.

        Raises
        ------
        WorkspaceError
            The path is none that this program makes.
        """
        bare, _suffix = posixpath.splitext(require_portable_path(map_path))
        with suppress(OSError):
            found = os.lstat(f"{workspace.root}/{bare}.tile")
            if stat.S_ISREG(found.st_mode):
                return cls(workspace, map_path, (found.st_ino, found.st_size, found.st_mtime_ns))
        return None

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises
        ------
        WorkspaceError
            The path leads out of its folder.
        OSError
            The file has gone meanwhile, or cannot be read.
        """
        return self.workspace.tile_path(self.map_path).read_bytes()


def encode_tile(
    pixels: Pixels,
    anomaly_map: NDArray[np.float32] | None,
    threshold: float | None = None,
    *,
    side: int = TILE_SIDE,
    lossless: bool = False,
) -> bytes:
    """Encode an image and its map at the size of a gallery tile.

    A job stores this file beside a score, so that a page of thousands of images opens without computing.

    Parameters
    ----------
    pixels
        Image, float 0..1 or uint8, [H, W, 3] or [H, W].
    anomaly_map
        Scores of the same image, float32 [H', W'] of the same proportions; None for an image without scores.
    threshold
        Score units; decides how finely the map is quantised.
    side
        The longer side of the stored image, pixels. Smaller images stay as they are.
    lossless
        PNG instead of WebP: several times the bytes, exact pixels.

    Returns
    -------
    One file for `gallery`.
    """
    picture = as_bytes(pixels)
    height, width = fitted(picture.shape[:2], side)
    image = encode_image(shrunk(picture, width, height), "png" if lossless else "webp")
    return pack(image, _map_at(anomaly_map, width, height), threshold, original=picture.shape[:2])


def encode_detail(
    pixels: Pixels,
    anomaly_map: NDArray[np.float32] | None,
    threshold: float | None,
    *,
    overview_side: int | None,
) -> bytes:
    """Encode an image for the detail: whole and lossless, or (`overview_side` given) reduced to an overview.

    The map is stored with at most `MAP_SIDE` pixels on its longer side.
    """
    picture = as_bytes(pixels)
    size = picture.shape[:2]
    if overview_side is None:
        image = encode_image(picture, "png")
    else:
        height, width = fitted(size, overview_side)
        image = encode_image(shrunk(picture, width, height), "webp")
    if anomaly_map is not None:
        height, width = fitted(anomaly_map.shape, MAP_SIDE)
        anomaly_map = _map_at(anomaly_map, width, height)
    return pack(image, anomaly_map, threshold, original=size)


def pack(
    image: tuple[bytes, str, int, int] | None,
    anomaly_map: NDArray[np.float32] | None,
    threshold: float | None,
    *,
    original: tuple[int, ...],
) -> bytes:
    """Put an encoded image (bytes, type, width, height) and a map into one file."""
    header: dict[str, object] = {"original": {"width": original[1], "height": original[0]}}
    parts = []
    if image is not None:
        data, kind, width, height = image
        header["image"] = {"type": kind, "bytes": len(data), "width": width, "height": height}
        parts.append(data)
    if anomaly_map is not None:
        raster = encode_map(anomaly_map, threshold)
        header["map"] = raster.header()
        parts.append(raster.data)
    text = json.dumps(header).encode()
    return b"".join([_MAGIC, struct.pack("<I", len(text)), text, *parts])


def original_size(file: bytes) -> tuple[int, int]:
    """Return width and height of the image an encoded picture was made from.

    Raises
    ------
    DataError
        When the bytes are not an encoded picture.
    """
    if file[:4] != _MAGIC:
        raise DataError("These bytes are not a picture encoded for the viewer.")
    size = json.loads(file[8 : 8 + struct.unpack("<I", file[4:8])[0]])["original"]
    return size["width"], size["height"]


def encode_image(picture: NDArray[np.uint8], kind: ImageType) -> tuple[bytes, str, int, int]:
    """Encode uint8 [H, W, 3]; return bytes, MIME type, width and height."""
    buffer = io.BytesIO()
    if kind == "png":
        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    else:
        Image.fromarray(picture).save(buffer, "WEBP", quality=WEBP_QUALITY, method=1)
    return buffer.getvalue(), f"image/{kind}", picture.shape[1], picture.shape[0]


def as_bytes(pixels: Pixels) -> NDArray[np.uint8]:
    """Return an image as uint8 [H, W, 3], rounding floats of 0..1 as `patchcore.maps.rendering` does.

    Raises
    ------
    DataError
        When the array is not an image.
    """
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or pixels.size == 0:
        raise DataError(f"An image has rows, columns and three colours; this array is {pixels.shape}.")
    picture = np.ascontiguousarray(pixels, np.uint8) if pixels.dtype == np.uint8 else _rounded(pixels)
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2)


def _rounded(pixels: Pixels) -> NDArray[np.uint8]:
    bright = np.asarray(pixels, np.float32) * np.float32(255)
    bright += np.float32(0.5)
    return np.clip(bright, 0, 255, out=bright).astype(np.uint8)


def fitted(size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Return (height, width) shrunk so that the longer side is at most `side`; never enlarged."""
    height, width = size[:2]
    share = min(1.0, side / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def shrunk(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, 3], at a smaller size."""
    if picture.shape[:2] == (height, width):
        return picture
    small = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small)


def _map_at(anomaly_map: NDArray[np.float32] | None, width: int, height: int) -> NDArray[np.float32] | None:
    if anomaly_map is None or anomaly_map.shape == (height, width):
        return anomaly_map
    scores = Image.fromarray(np.nan_to_num(np.asarray(anomaly_map, np.float32)))
    return np.asarray(scores.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0), np.float32)


encoded = Latest[bytes](CACHE_BYTES, len)
