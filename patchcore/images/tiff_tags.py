"""Weighs the tags of a TIFF before any of them is unpacked: tifffile makes a Python number of each of their values."""

import struct
from collections.abc import Iterator

from patchcore.errors import ImageTooLarge

MOST_VALUES = (
    4_000_000  # numbers in the tags of all pages; 120 million pixels in strips of a row need a few thousand
)
MOST_FOLDERS = 2_000  # lists of tags that are weighed; tiff_format.py looks at fewer pages
_SUB_FOLDERS = 330
_TEXT = frozenset({1, 2, 6, 7})  # bytes and characters, which stay one block


def check_tags(data: bytes, name: str) -> None:
    """Refuse a TIFF whose tags hold millions of numbers; several pages may share the bytes of one list.

    Raises
    ------
    ImageTooLarge
        More than `MOST_VALUES` numbers.
    """
    order = "<" if data[:2] == b"II" else ">"
    values = 0
    for code, kind, count in _tags(data, order, big=data[2:4] in (b"+\0", b"\0+")):
        values += 0 if kind in _TEXT and code != _SUB_FOLDERS else count
        if values > MOST_VALUES:
            raise ImageTooLarge(
                name,
                f"its TIFF tags hold more than {MOST_VALUES:,} numbers, where a photograph has a few thousand. "
                "Export it again, in strips of several rows.",
            )


def _tags(data: bytes, order: str, *, big: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (code, kind, count) of each tag of each list, as far as the file holds them."""
    number, head, entry = ("Q", 8, 20) if big else ("I", 4, 12)
    counts = struct.Struct(order + ("Q" if big else "H"))
    first = struct.Struct(order + number)
    row = struct.Struct(f"{order}HH{number}{number}")
    wanted, met = [_number(first, data, 8 if big else 4)], set[int]()
    while wanted and len(met) < MOST_FOLDERS:
        at = wanted.pop()
        if at < 8 or at in met or at + counts.size > len(data):
            continue
        met.add(at)
        start = at + counts.size
        room = max(0, len(data) - start) // entry
        length = min(counts.unpack_from(data, at)[0], room)
        for code, kind, count, value in row.iter_unpack(data[start : start + length * entry]):
            yield code, kind, count
            if code == _SUB_FOLDERS:
                listed = min(count, MOST_FOLDERS)
                places = (
                    [value] if count == 1 else [_number(first, data, value + head * n) for n in range(listed)]
                )
                wanted += places
        wanted.append(_number(first, data, start + length * entry))


def _number(form: struct.Struct, data: bytes, at: int) -> int:
    """Return the number at a place; 0 beyond the end."""
    return int(form.unpack_from(data, at)[0]) if at + form.size <= len(data) else 0
