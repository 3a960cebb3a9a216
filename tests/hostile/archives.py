"""Hostile zip archives, made by code: small files that would unpack to far more, or take far longer, than they seem."""

import copy
import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterable

from tests.hostile.pictures import plain, saved

Make = Callable[[], bytes]
PNG = saved(plain(), "PNG")
BLANK = b"BM" + bytes((1 << 20) - 2)  # a megabyte that packs a thousandfold, and begins like a picture


def packed(entries: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an ordinary archive of (name, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.NameToInfo.clear()  # it would warn of a name that comes again
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def altered(
    entries: Iterable[tuple[str, bytes]], alter: Callable[[list[zipfile.ZipInfo]], list[zipfile.ZipInfo]]
) -> bytes:
    """Return an archive whose directory says something else than its entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        archive.filelist = alter(archive.filelist)
    return buffer.getvalue()


def changed(entry: zipfile.ZipInfo, **values: object) -> zipfile.ZipInfo:
    """Return a copy of an entry of the directory with other values."""
    other = copy.copy(entry)
    for name, value in values.items():
        setattr(other, name, value)
    return other


def one_entry_many_names(count: int = 400, megabytes: int = 1) -> bytes:
    """Return an archive whose entries are all one."""
    return altered(
        [("0.bmp", BLANK * megabytes)],
        lambda listed: [changed(listed[0], filename=f"{number}.bmp") for number in range(count)],
    )


def entries_within_entries(count: int = 50) -> bytes:
    """Return an archive whose entries each begin within the one before."""
    return altered(
        [("0.bmp", BLANK)],
        lambda listed: [
            changed(listed[0], filename=f"{number}.bmp", header_offset=number) for number in range(count)
        ],
    )


def into_the_directory() -> bytes:
    """Return an archive whose last entry reaches into the directory."""
    return altered(
        [("0.png", PNG)], lambda listed: [changed(listed[0], compress_size=listed[0].compress_size + 50)]
    )


def lies(**values: object) -> bytes:
    """Return an archive of three pictures, of which the directory describes the second one wrongly."""
    return altered(
        [("a.png", PNG), ("b.png", PNG), ("c.png", PNG)],
        lambda listed: [listed[0], changed(listed[1], **values), listed[2]],
    )


def many_small(count: int = 1_260) -> bytes:
    """Return an archive of a megabyte that unpacks to a gigabyte, each entry small enough."""
    one = packed([("0.bmp", BLANK)])
    head = one.index(b"PK\x01\x02")
    local, listed = one[:head], []
    for number in range(count):
        entry = zipfile.ZipFile(io.BytesIO(one)).infolist()[0]
        listed.append(changed(entry, filename="0.bmp", header_offset=number * len(local)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.fp.write(local * count)
        archive.start_dir = buffer.tell()
        archive._didModify = True
        archive.filelist = listed
    return buffer.getvalue()


def forms(count: int = 1_000) -> Iterable[tuple[str, bytes]]:
    """Yield pictures whose names differ by the case or the Unicode form of their letters alone."""
    names = ("größe é.png", "GRÖSSE É.png", unicodedata.normalize("NFD", "größe é.png"))
    yield from ((names[number % 3], PNG) for number in range(count))


def many_ends() -> bytes:
    """Return an archive whose comment is made of ends of archives."""
    whole = packed([("a.png", PNG), ("b.png", PNG)])
    at = whole.rindex(b"PK\x05\x06")
    comment = (whole[at : at + 20] + b"\0\0") * 2_900
    return whole[: at + 20] + len(comment).to_bytes(2, "little") + comment


def long_extras(count: int = 300) -> bytes:
    """Return an archive whose directory holds megabytes of extra fields."""
    return altered(
        [(f"{number}.png", PNG) for number in range(count)],
        lambda listed: [changed(one, extra=b"\xff\xff\xfb\xff" + bytes(65_531)) for one in listed],
    )


REFUSED: dict[str, Make] = {
    "zip, 400 names of one entry": one_entry_many_names,
    "zip, entries within entries": entries_within_entries,
    "zip, an entry that reaches into the directory": into_the_directory,
    "zip, 1,260 entries of a megabyte in 1.3 MB": many_small,
    "zip, a thousand entries that lie in one another's heads": lambda: entries_within_entries(1_000),
}
"""Name -> an archive of which nothing is unpacked."""

REFUSED_LARGE: dict[str, Make] = {
    "zip, 100,001 folders": lambda: packed((f"{number}/", b"") for number in range(100_001)),
    "zip, bzip2 of 300 megabytes": lambda: packed([("0.bmp", BLANK * 300)], zipfile.ZIP_BZIP2),
    "zip, lzma of 300 megabytes": lambda: packed([("0.bmp", BLANK * 300)], zipfile.ZIP_LZMA),
}
"""The same, which take longer to make than to refuse."""

PARTLY: dict[str, Make] = {
    "zip, an entry of 2^40 bytes": lambda: lies(file_size=2**40),
    "zip, an entry that declares more than it holds": lambda: lies(file_size=10_000_000),
    "zip, an entry that declares less than it holds": lambda: lies(file_size=10),
    "zip, an entry of no known packing": lambda: lies(compress_type=77),
    "zip, an entry with another one's sum": lambda: lies(CRC=1),
    "zip, a name of 60,000 characters": lambda: lies(filename="x" * 60_000 + ".png"),
    "zip, an entry without a name": lambda: lies(filename=""),
    "zip, an entry whose name begins with nothing": lambda: lies(filename="\0b.png"),
    "zip, an entry under a password": lambda: lies(flag_bits=1),
    "zip, an entry said to be packed by LZMA": lambda: lies(compress_type=14),
    "zip, a name of nothing but dots": lambda: lies(filename="../" * 100 + "a.png"),
    "zip, a name of 20,000 folders": lambda: lies(filename="x/" * 20_000 + "a.png"),
}
"""Name -> an archive of which at least two pictures are taken."""

TAKEN: dict[str, Make] = {
    "zip, 3,000 entries of one name": lambda: packed(("a.png", PNG) for _ in range(3_000)),
    "zip, 3,000 names that are numbered already": lambda: packed(
        (f"a ({number}).png" if number % 2 else "a.png", PNG) for number in range(3_000)
    ),
    "zip, 3,000 names in three forms": lambda: packed(forms(3_000)),
    "zip, 3,000 names that are one when shortened": lambda: packed(
        ("x" * 300 + f"{number:04d}" + "y" * 300 + ".png", PNG) for number in range(3_000)
    ),
    "zip, 3,000 names that are one without their signs": lambda: packed(
        (f"a{chr(0x200B + number % 5)}.png" if number % 2 else f"a{chr(1 + number % 31)}.png", PNG)
        for number in range(3_000)
    ),
    "zip, a comment made of ends": many_ends,
    "zip, 20 megabytes of extra fields": long_extras,
}
"""Name -> an archive that is taken whole, in a second."""
