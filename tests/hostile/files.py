"""Hostile inspectors, backups, sets, addresses and texts, and files that are long without anything in them."""

import hashlib
import io
import json
import struct
import tempfile
import unicodedata
import zipfile
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lab.fuzzing.seeds import ANNOTATIONS, Seeds
from tests.hostile import archives
from tests.hostile.pictures import plain, saved

Make = Callable[[], bytes]
TERABYTE = 2**40


@cache
def seeds() -> Seeds:
    """Return an inspector, a backup and a workspace, made once for a run of the command."""
    return Seeds.of(Path(tempfile.mkdtemp(prefix="hostile-")))


def relisted(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return an inspector whose list of parts is changed, or is another text."""
    data = seeds().inspectors[0]
    length = int.from_bytes(data[:8], "little")
    listed = json.loads(data[8 : 8 + length])
    made = change(listed)
    text = made if isinstance(made, bytes) else json.dumps(listed).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _empty_parts(listed: dict[str, Any]) -> None:
    for number in range(300_000):
        listed[f"p{number}"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def _many_images(listed: dict[str, Any]) -> None:
    about = json.loads(listed["__metadata__"]["patchcore"])
    about["images"] = about["images"][:1] * 100_000
    listed["__metadata__"]["patchcore"] = json.dumps(about)


INSPECTORS: dict[str, Make] = {
    "inspector, 300,000 empty parts": lambda: relisted(_empty_parts),
    "inspector, a header of lists within lists": lambda: relisted(lambda _: b"[" * 1_000_000),
    "inspector, a header of one long name": lambda: relisted(lambda _: b'{"' + b"x" * 60_000_000 + b'": 1}'),
    "inspector, 100,000 good images of one bank": lambda: relisted(_many_images),
    "inspector, a shape of 2^62 by nothing": lambda: relisted(
        lambda listed: listed["self_test.pixels"].update(shape=[2**62, 0, 3])
    ),
}
"""Name -> a file that is refused as an inspector."""


def rewritten(column: str, value: object) -> bytes:
    """Return a backup of which every row that has a column has another value in it, its sums right."""
    with zipfile.ZipFile(seeds().backup) as packed:
        entries = {name: packed.read(name) for name in packed.namelist()}
    contents = json.loads(entries.pop("backup.json"))
    for name in [name for name in entries if name.startswith("tables/")]:
        rows = [json.loads(line) for line in entries[name].splitlines()]
        for row in rows:
            row.update({column: value} if row.get(column) is not None else {})
        entries[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    contents["entries"] = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in entries.items()
    }
    return archives.packed([*entries.items(), ("backup.json", json.dumps(contents).encode())])


BACKUPS: dict[str, Make] = {
    "backup: every moment in the year 1": lambda: rewritten("created", "0001-01-01T00:00:00+00:00"),
    "backup: every moment at the end of time": lambda: rewritten(
        "created", "9999-12-31T23:59:59.999999+00:00"
    ),
    "backup: every moment before the year 1, in another zone": lambda: rewritten(
        "created", "0001-01-01T00:00:00+14:00"
    ),
    "backup: every moment a number": lambda: rewritten("created", 10**18),
    "backup: every name a megabyte": lambda: rewritten("name", "x" * 2**20),
}
"""Name -> a backup that is refused, or restored, and then looked at by the rule of retention."""


def a_set(*files: tuple[str, bytes]) -> bytes:
    """Return names and contents of a labelled set, as JSON; a name that ends in / is a folder."""
    return json.dumps([[name, b64encode(data).decode()] for name, data in files]).encode()


PNG = saved(plain(), "PNG")
TABLE = b"file,label\na.png,good\n"
DEEP = "/".join(["d" * 250] * 20)
SETS: dict[str, Make] = {
    "set, a folder called like an annotation file": lambda: a_set(
        ("good/a.png", PNG), ("a.json/", b""), ("b.xml/", b"")
    ),
    "set, a folder called like a picture": lambda: a_set(("good/a.png", PNG), ("bad/b.png/", b""), ("bad/c.png", PNG)),
    "set, a table in each of two folders, and one that is a folder": lambda: a_set(
        ("one/labels.csv", TABLE), ("two/labels.csv", TABLE), ("labels.csv/", b""), ("one/a.png", PNG),
        ("two/a.png", PNG)
    ),
    "set, masks whose folder is a file": lambda: a_set(
        ("test/dent/a.png", PNG), ("ground_truth", b"x"), ("a.png", PNG)
    ),
    "set, a path of 5,000 bytes": lambda: a_set(("good/a.png", PNG), (f"{DEEP}/b.png", PNG)),
    "set, two names that differ by their Unicode form": lambda: a_set(
        ("good/größe.png", PNG), (unicodedata.normalize("NFD", "good/größe.png"), PNG), ("bad/c.png", PNG)
    ),
    "set, a name of 85 three-byte letters and one of 86": lambda: a_set(
        ("good/" + "測" * 83 + ".png", PNG), ("bad/" + "測" * 86 + ".png", PNG)
    ),
    "set, a mask of an image that is a mask": lambda: a_set(
        ("test/good/a.png", PNG), ("ground_truth/dent/a_mask.png", PNG), ("ground_truth/dent/a_mask_mask.png", PNG)
    ),
    "set, labels of every kind for one image": lambda: a_set(
        ("a.png", PNG), ("labels.csv", TABLE), *((f"{number}{name}", data) for number in range(40)
                                                for name, data in ANNOTATIONS.items())
    ),
}  # fmt: skip
"""Name -> a labelled set, handed in on the pages and on the command line."""

ADDRESSES: dict[str, Make] = {
    f"address, {name}": lambda page=page, choices=choices: json.dumps([page, choices]).encode()
    for name, page, choices in (
        ("a trial of lists within lists", "tune", {"trial": "[" * 4_000}),
        (
            "a trial of another world",
            "tune",
            {"trial": '{"rule":{"name":"by_hand","parameters":{"value":1e999}}}'},
        ),
        ("a filter beyond the calendar", "history", {"filter": '{"since":"99999-01-01","least":"1e400"}'}),
        (
            "a filter whose words are lists",
            "history",
            {"filter": '{"of":[],"text":{},"verdicts":[[]],"purpose":null}'},
        ),
        ("digits of another script", "inspect", {"batch": "١", "image": "１", "threshold": "٣٫٥"}),
        ("an inspector that climbs out", "library", {"inspector": "../../etc", "version": "-1"}),
        ("numbers that are none", "evaluate", {"size": "nan", "set": "1e5", "other": "0x10", "shown": "-0"}),
        ("a part of 8,000 characters", "show", {"part": "9" * 8_000, "costs": ";" * 8_000, "scene": "\0"}),
    )
}
"""Name -> a page and the choices of its address."""

TEXTS: dict[str, Make] = {
    f"csv, {name}": lambda text=text: json.dumps(text).encode()
    for name, text in (
        ("a sign behind a line of another system", "a\u2028=1+1"),
        ("a sign behind one that is not shown", "\u200b\u2060=1+1"),
        ("a small sign", "﹢1;﹣1;＠x"),
        ("a sign behind a tab in the middle", "a\t@SUM(A1)"),
        ("a million signs", "=" * 1_000_000),
        ("half a million cells", ";=" * 500_000),
    )
}
"""Name -> a text that leaves as a cell of CSV."""

LONG: dict[str, tuple[str, str, bytes]] = {
    "long, a picture of a terabyte": ("picture", "part.png", PNG),
    "long, a TIFF of a terabyte": ("picture", "part.tif", b"II*\0\x08\0\0\0"),
    "long, an archive of a terabyte": ("archive", "lot.zip", archives.packed([("a.png", PNG)])),
    "long, a backup of a terabyte": ("backup", "backup.zip", archives.packed([("a.png", PNG)])),
    "long, a table of a terabyte": ("table", "labels.csv", TABLE),
    "long, an annotation file of a terabyte": ("annotations", "a.json", b"{}"),
    "long, an inspector of a terabyte": ("inspector", "plate.patchcore", struct.pack("<Q", 100) + b"{}"),
    "long, a stored map of a terabyte": ("map", "map.png", PNG),
}
"""Name -> reader, file and begin of a file that has a terabyte, all but its begin without a place on the disk."""


def as_csv(path: Path, _spool: Path) -> str:
    """Write a text as CSV, and read its cells as a spreadsheet with other separators does."""
    import csv
    import re

    from workbench.inspections.csv_text import csv_text

    csv.field_size_limit(1 << 30)
    written = csv_text([[json.loads(path.read_bytes()), 1]])
    for delimiter in ",;\t|":
        for cells in csv.reader(io.StringIO(written), delimiter=delimiter):
            for cell in cells:
                for line in re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", cell):
                    assert not re.match(r"[\s\u200b\u2060]*[=+@＝＋＠﹢-]", line), f"a formula: {cell[:40]!r}"
    return f"{len(written):,} characters"
