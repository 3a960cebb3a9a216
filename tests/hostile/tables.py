"""Hostile tables of labels and annotation files, made by code."""

import json
from collections.abc import Callable

Make = Callable[[], bytes]

ROWS = (
    "u{n}.png,dent",
    "d{n}/x.png,dent",
    "größe {n}.png,dent",
    "..\\x{n}.png,dent",
    "/abs/{n}.png,dent",
    "C:\\parts\\{n}.png,dent",
    "a.png,dent {n}",
    "./a.png{n} ,dent",
    ",dent",
    "u{n}.png,",
)
"""Lines that name no further image, each with its number."""


def table(form: str, count: int) -> str:
    """Return a table of one good image and so many lines that name no further one."""
    return "file,label\na.png,good\n" + "".join(f"{form.format(n=n)}\n" for n in range(count))


REFUSED: dict[str, Make] = {
    "table, a line more than a million": lambda: b"file,label\n" + b"a,b\n" * 1_000_001,
    "table, 200,000 columns": lambda: b"file,label" + b",x" * 200_000 + b"\na.png,good\n",
    "table, a name of a million characters": lambda: b"file,label\n" + b"a" * 100_000 + b".png,dent\n" * 3,
    "table, a cell of a million characters": lambda: b"file,label\n" + b"a" * 1_000_000 + b",dent\n",
    "table, a first line of a million characters": lambda: b"f" * 100_000 + b",label\na.png,good\n",
    "table, 20,000 splits": lambda: (
        b"file,label,split\n" + b"".join(b"a.png,good,train %d\n" % n for n in range(20_000))
    ),
}
"""Name -> a table that is refused."""


LONGEST: dict[str, Make] = {
    "table, 900,000 masks that do not exist": lambda: (
        b"file,label,mask\na.png,good,\n" + b"".join(b"a.png,dent,m%d.png\n" % n for n in range(900_000))
    ),
    "table, a quote without an end": lambda: b'file,label\na.png,good\n"' + b"b.png,dent\n" * 900_000,
    "table, 900,000 quotes in a line": lambda: b"file,label\na.png,good\n" + b'"a"' * 900_000 + b",dent\n",
    "table, in UTF-16": lambda: table("u{n}.png,dent", 900_000).encode("utf-16"),
    "table, 900,000 splits": lambda: (
        b"file,label,split\na.png,good,test\n"
        + b"".join(b"b.png,good,train %d\n" % n for n in range(900_000))
    ),
    "table, 900,000 lines of separators": lambda: b"file,label\na.png,good\n" + b",,,,,,,,,,\n" * 900_000,
}
"""Name -> a table as long as it may be, of which one image is read, or none."""


def coco(**values: object) -> bytes:
    """Return COCO's JSON with one image and one annotation that has other values."""
    image = {"id": 1, "file_name": "a.png", "height": 16, "width": 16}
    annotation = {"image_id": 1, "category_id": 1}
    changed = {key: value for key, value in values.items() if key in image}
    return json.dumps(
        {
            "images": [image | changed],
            "categories": [{"id": 1, "name": values.get("name", "dent")}],
            "annotations": [annotation | {key: value for key, value in values.items() if key not in image}],
        }
    ).encode()


def runs(counts: object, height: object, width: object) -> dict[str, object]:
    """Return COCO's run lengths."""
    return {"segmentation": {"counts": counts, "size": [height, width]}}


ANNOTATIONS: dict[str, Make] = {
    "coco, an image of 10^9 x 10^9": lambda: coco(height=10**9, width=10**9, **runs([10**18], 10**9, 10**9)),
    "coco, a height of forty nines": lambda: coco(height=int("9" * 40), **runs([0, 256], 16, 16)),
    "coco, runs of 2^63": lambda: coco(**runs([2**63, 1], 16, 16)),
    "coco, runs of a negative length": lambda: coco(**runs([-1, 257], 16, 16)),
    "coco, runs of 12,000 x 12,000": lambda: coco(**runs([144_000_000], 12_000, 12_000)),
    "coco, packed runs without an end": lambda: coco(**runs("o" * 100_000, 16, 16)),
    "coco, a million packed runs in 16 x 16": lambda: coco(**runs("0" * 1_000_000, 16, 16)),
    "coco, 120,000 corners": lambda: coco(segmentation=[[1.0, 2.0] * 120_000]),
    "coco, a label of a megabyte": lambda: coco(name="x" * 2**20, **runs([1], 16, 16)),
    "json, five million lists": lambda: b"[" + b"[]," * 5_000_000 + b"[]]",
    "json, lists within lists": lambda: b"[" * 100_000,
    "json, a number of a million digits": lambda: (
        b'{"images": [], "annotations": [], "n": ' + b"9" * 1_000_000 + b"}"
    ),
    "xml, two million elements": lambda: b"<annotations><image name='a.png'>" + b"<a/>" * 1_100_000,
}
"""Name -> an annotation file that marks nothing, and says why in a short sentence."""
