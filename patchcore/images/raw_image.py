"""Owns a picture as its container stores it, before any scaling, and the limits on its size."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from patchcore.errors import ImageTooLarge, UnreadableImage

_UNPACKED = 1.5  # times the largest file, the samples of an image may have in memory: 16-bit RGB of 120 million pixels
_AT_ONCE = 1 << 20  # pixels that a calculation with intermediate results takes at a time


@dataclass(frozen=True)
class Limits:
    """The largest size of one image.

    Parameters
    ----------
    max_pixels
        Width times height, as the header declares them.
    max_bytes
        Size of the file; its samples may have half as much again, once unpacked as stored.
    """

    max_pixels: int = 120_000_000
    max_bytes: int = 512 * 2**20

    @property
    def max_unpacked(self) -> int:
        """Bytes that the samples of an image may have, as its container stores them."""
        return int(_UNPACKED * self.max_bytes)

    def check(self, name: str, width: int, height: int, bytes_per_pixel: int = 1) -> None:
        """Refuse a declared size.

        Raises
        ------
        ImageTooLarge
            More pixels, or more bytes once unpacked, than allowed.
        UnreadableImage
            A side is zero.
        """
        if width < 1 or height < 1:
            raise UnreadableImage(name, f"its header declares {width} × {height} pixels; export it again.")
        unpacked, most = width * height * bytes_per_pixel, self.max_unpacked
        if width * height <= self.max_pixels and unpacked > most:
            raise ImageTooLarge(
                name,
                f"{width:,} × {height:,} pixels of {bytes_per_pixel} bytes each unpack to {unpacked:,} bytes; the "
                f"limit is {most:,}. Save it with 8 or 16 bits a channel, crop it, or scale it down first.",
            )
        if width * height > self.max_pixels:
            raise ImageTooLarge(
                name,
                f"{width:,} × {height:,} pixels ({width * height / 1e6:,.0f} million); the limit is "
                f"{self.max_pixels / 1e6:,.4g} million. Crop it or scale it down first.",
            )


def by_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows of a picture [H, W, ...] piece by piece, so that intermediate results stay small."""
    step = max(1, _AT_ONCE // max(1, shape[1]))
    yield from (slice(start, start + step) for start in range(0, shape[0], step))


@contextmanager
def memory_for(name: str) -> Iterator[None]:
    """Turn a lack of memory while an image is read or scored into a sentence about that image.

    Raises
    ------
    ImageTooLarge
        The memory did not suffice.
    """
    try:
        yield
    except (MemoryError, Image.DecompressionBombError) as fault:
        raise _no_memory(name) from fault
    except OSError as fault:  # Pillow and the system say it so
        if fault.errno == errno.ENOMEM or "out of memory" in str(fault):
            raise _no_memory(name) from fault
        raise


def _no_memory(name: str) -> ImageTooLarge:
    return ImageTooLarge(
        name,
        "it is too large for the memory that is free on this computer. Crop it or scale it down first, or close other "
        "programs.",
    )


@dataclass
class RawImage:
    """One picture as its container stores it, upright.

    Attributes
    ----------
    samples
        [H, W] grey or [H, W, 3] colour, in the dtype of the container.
    format
        ``PNG``, ``JPEG``, ``BMP``, ``WebP``, ``TIFF``, ``PNM`` or ``array``.
    channels
        Channels as stored: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha or CMYK.
    bit_depth
        Bits a sample as stored.
    peak
        The sample value that means full white; None where the container does not say (float, signed).
    fixed_scale
        True for samples to which a user's value range does not apply: up to 8 bits, palettes, CMYK.
    alpha
        [H, W] float32 in 0..1, or None when the picture is opaque.
    premultiplied
        Whether the colours are already multiplied by alpha.
    notes
        A sentence for each conversion that changes pixels, and for each part of the file that was not read.
    taken
        When it was taken, by the camera's clock, ISO 8601; "" where the file does not say.
    """

    samples: NDArray[Any]
    format: str
    channels: int
    bit_depth: int
    peak: float | None
    fixed_scale: bool = False
    alpha: NDArray[np.float32] | None = None
    premultiplied: bool = False
    notes: list[str] = field(default_factory=list)
    taken: str = ""

    def turn_upright(self, orientation: int) -> None:
        """Apply an EXIF/TIFF orientation code (1 to 8) to samples and alpha."""
        if orientation not in _TURNS:
            return
        self.samples = _TURNS[orientation](self.samples)
        if self.alpha is not None:
            self.alpha = _TURNS[orientation](self.alpha)
        self.notes.append("The picture was turned upright, as its orientation tag says.")

    def set_alpha(self, alpha: NDArray[Any], peak: float, premultiplied: bool = False) -> None:
        """Keep an alpha channel that matters; a channel that hides everything is dropped with a note."""
        if alpha.max() <= 0:
            self.notes.append("Its alpha channel hides every pixel, and was ignored.")
        elif alpha.min() < peak:
            self.alpha = (alpha / np.float32(peak)).astype(np.float32)
            self.premultiplied = premultiplied


def first_of_several(
    noun: str, count: int, size: tuple[int, int], others: Sequence[tuple[int, int]], most: int = 0
) -> str:
    """Return the note on a file that holds several pictures, of which only the first is judged.

    Parameters
    ----------
    noun
        One of them: "page", "frame" or "picture".
    count
        Their number, as far as it was counted.
    size
        (width, height) of the first.
    others
        (width, height) of the next ones, in their order; as many as are known.
    most
        The number at which counting stopped; 0 where all were counted.
    """
    of = f"more than {most:,}" if most and count >= most else f"{count:,}"
    note = f"Only the first of {of} {noun}s in the file was read."
    areas = [width * height for width, height in others]
    if areas and max(areas) > size[0] * size[1]:
        at = areas.index(max(areas))
        width, height = others[at]
        note += (
            f" It has {size[0]:,} × {size[1]:,} px and may be a preview: {noun} {at + 2} has {width:,} × {height:,} "
            "px. Save the large picture alone."
        )
    return note


_TURNS: dict[int, Any] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def from_channels(array: NDArray[Any], kind: str, bit_depth: int, peak: float | None) -> RawImage:
    """Split [H, W] or [H, W, 1..4] into colour and straight alpha."""
    count = 1 if array.ndim == 2 else array.shape[2]
    alpha = array[..., -1] if count in (2, 4) else None
    colours = array if array.ndim == 2 else array[..., 0] if count <= 2 else array[..., :3]
    raw = RawImage(colours, kind, count, bit_depth, peak, fixed_scale=bit_depth <= 8 and peak is not None)
    if alpha is not None:
        raw.set_alpha(alpha, 1.0 if peak is None else peak)
    return raw


def from_array(array: NDArray[Any], name: str, limits: Limits) -> RawImage:
    """Take [H, W] or [H, W, 1 | 3 | 4] of any real dtype as a picture.

    Raises
    ------
    UnreadableImage
        Another shape, or a dtype that holds no brightness.
    ImageTooLarge
        More pixels than allowed.
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise UnreadableImage(
            name, f"an array of shape {array.shape} is not a picture; pass [H, W] or [H, W, 1, 3 or 4]."
        )
    if array.dtype.kind not in "buif":
        raise UnreadableImage(name, f"an array of {array.dtype} holds no brightness; give uint8 or float32.")
    limits.check(
        name,
        array.shape[1],
        array.shape[0],
        array.dtype.itemsize * array.size // (array.shape[0] * array.shape[1] or 1),
    )
    bits = 1 if array.dtype == bool else array.dtype.itemsize * 8
    peak = 1.0 if bits == 1 else float(2**bits - 1) if array.dtype in (np.uint8, np.uint16) else None
    return from_channels(array, "array", bits, peak)
