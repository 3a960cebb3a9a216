"""Hostile pictures that are small and declare little, and whose decoders work for a minute or for hours."""

import struct
from collections.abc import Callable

from PIL import Image

from tests.hostile.pictures import LONG, SHORT, picture_tags, plain, png_chunk, saved, tiff

Make = Callable[[], bytes]


def scans(count: int = 2_000, side: int = 4_000) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    whole = saved(Image.new("L", (side, side)), "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:at] + whole[at:-2] * count + whole[-2:]


def empty_chunks(count: int = 1_000_000, kind: bytes = b"tEXt", content: bytes = b"") -> bytes:
    """Return a PNG with so many small chunks between its header and its samples."""
    whole = saved(plain(), "PNG")
    return whole[:33] + png_chunk(kind, content) * count + whole[33:]


def run_lengths(codes: bytes, side: int = 8_000) -> bytes:
    """Return a BMP of 8 bits whose rows are these codes of run lengths."""
    palette = bytes(range(256)) * 4
    start = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(codes), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", start + len(codes), 0, 0, start) + info + palette + codes


def strips_of_one_jpeg(count: int = 500_000) -> bytes:
    """Return a TIFF whose strips, a row of eight pixels each, are all one small JPEG."""
    part = saved(Image.new("L", (8, 1)), "JPEG")
    own = {
        "t259": (SHORT, [7]),
        "t273": (LONG, [0] * count),
        "t278": (LONG, [1]),
        "t279": (LONG, [len(part)] * count),
    }
    return tiff(picture_tags(8, count, **own), part)


def segments(count: int, marker: int, content: bytes) -> bytes:
    """Return a JPEG with so many segments of metadata before its picture."""
    whole = saved(plain(), "JPEG")
    one = struct.pack(">HH", marker, 2 + len(content)) + content
    return whole[:2] + one * count + whole[2:]


SLOW: dict[str, Make] = {
    "jpeg, progressive with 2,000 scans": scans,
    "png, a million empty chunks": empty_chunks,
    "bmp, run lengths that end each row at once": lambda: run_lengths(b"\1\0\0\0" * 7_999 + b"\0\1"),
    "bmp, run lengths that move by nothing": lambda: run_lengths(b"\0\2\0\0" * 4_000_000),
    "bmp, run lengths of no pixels": lambda: run_lengths(b"\1\0" * 4_000_000),
    "tiff, half a million strips of one JPEG": strips_of_one_jpeg,
    "jpeg, half a million pieces of EXIF": lambda: segments(500_000, 0xFFE1, b"Exif\0\0" + bytes(40)),
    "jpeg, a million comments": lambda: segments(1_000_000, 0xFFFE, b""),
    "png, a million parts of the samples": lambda: empty_chunks(1_000_000, b"IDAT"),
    "png, a million palettes": lambda: empty_chunks(1_000_000, b"PLTE", bytes(3)),
}
"""Name -> a file that must end within the time that decoding may take, read or refused."""
