"""Labelled sets that mark one defect in every way, for the command line and the dashboard alike.

Each set holds ``test/good/0.png`` and ``test/dent/0.png``, of 64 x 64 pixels, and the files that are listed here.
"""

import io

import numpy as np
from PIL import Image

from tests.patchcore.labels.annotation_files import BOX, box_mask, coco, cvat, labelme, packed, run_lengths

SIZE = (64, 64)
GOOD, DEFECT = "test/good/0.png", "test/dent/0.png"
PIXELS = (BOX[2] - BOX[0]) * (BOX[3] - BOX[1])
IMAGES = {GOOD: False, DEFECT: True}
MASK = "ground_truth/dent/0_mask.png"


def encoded(pixels, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def mask(value=255):
    return box_mask(SIZE) * np.uint8(value)


def on_transparent(colour):
    return np.dstack([np.full((*SIZE, 3), colour, np.uint8), mask()])


_upper, _lower = mask(), mask()
_upper[10:], _lower[:10] = 0, 0
_edges = mask()
_edges[BOX[3] - 1, BOX[0] : BOX[2]] = 192
_edges[BOX[3], BOX[0] : BOX[2]] = 100

MARKED = {
    "white on black": {MASK: encoded(mask())},
    "grey edges": {MASK: encoded(_edges)},
    "class number": {MASK: encoded(mask(2))},
    "transparent background": {MASK: encoded(on_transparent(255))},
    "black on transparent": {MASK: encoded(on_transparent(0))},
    "jpeg": {"ground_truth/dent/0_GT.JPG": encoded(mask(), "JPEG", quality=80)},
    "twice as large": {MASK: encoded(np.kron(mask(), np.ones((2, 2), np.uint8)))},
    "two files": {"gt/dent/0_mask1.png": encoded(_upper), "gt/dent/0_mask2.PNG": encoded(_lower)},
    "a folder a picture": {"masks/0/a.tif": encoded(_upper, "TIFF"), "masks/0/b.tif": encoded(_lower, "TIFF")},
    "beside the image": {"test/dent/0-mask.bmp": encoded(mask(), "BMP")},
    "labelme": {"test/dent/0.json": labelme("0.png", SIZE)},
    "coco": {"annotations.json": coco(IMAGES, size=SIZE)},
    "coco runs": {"a.json": coco(IMAGES, {"counts": packed(run_lengths(SIZE)), "size": SIZE}, SIZE)},
    "cvat": {"annotations.xml": cvat(IMAGES, size=SIZE)},
    "a table and a mask": {"labels.csv": f"file,label\n{GOOD},ok\n{DEFECT},nok\n".encode(), MASK: encoded(mask())},
    "a table that names coco": {
        "labels.csv": f"file;label;mask\n{GOOD};ok;\n{DEFECT};nok;marks/all.json\n".encode(),
        "marks/all.json": coco(IMAGES, size=SIZE),
    },
}  # fmt: skip
"""Way -> further files of the set; all mark the same `PIXELS` pixels."""

_white = np.full(SIZE, 255, np.uint8)
UNUSABLE = {
    "everything": ({MASK: encoded(_white)}, "It marks every pixel"),
    "everything by transparency": (
        {MASK: encoded(np.dstack([_white] * 3 + [_white // 2]))},
        "It marks every pixel",
    ),
    "nothing": ({MASK: encoded(_white * 0)}, "It marks nothing"),
    "another aspect": ({MASK: encoded(mask()[:40])}, "The mask is 64 × 40 but the image 64 × 64"),
    "a photograph": (
        {MASK: encoded(np.random.default_rng(0).integers(40, 200, SIZE).astype(np.uint8))},
        "as in a photograph",
    ),
    "a text": ({MASK: b"no picture"}, "this is text, not an image"),
    "another image's": ({"ground_truth/dent/7_mask.png": encoded(mask())}, "No image belongs to 1 mask"),
    "a GIF": ({"ground_truth/dent/0_mask.gif": encoded(mask(), "GIF")}, "GIF"),
    "a broken annotation": ({"a.json": b"{"}, "a.json is damaged"),
    "another program's annotation": ({"a.xml": b"<annotation/>"}, "not CVAT's for images"),
    "an outline of two points": (
        {"a.json": labelme("0.png", SIZE, {"label": "dent", "points": [[1, 1], [2, 2]]})},
        "several images are called 0.png",
    ),
    "an annotation of another size": (
        {"a.json": coco(IMAGES, size=(640, 480))},
        "The annotated image is 480 × 640 but the image 64 × 64",
    ),
    "an annotation of other images": ({"a.json": coco({"x.png": True})}, "1 image that the set does not hold: x.png"),
    "lines": (
        {"a.json": labelme(DEFECT, SIZE, {"label": "dent", "points": [], "shape_type": "line"})},
        "shapes without an area mark nothing",
    ),
}  # fmt: skip
"""Fault -> further files of the set, and the words that say so; the set is measured without pixels."""
