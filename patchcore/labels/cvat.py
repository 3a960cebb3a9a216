"""CVAT's XML for images (version 1.1): polygons, boxes, ellipses and masks of named classes."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np

from patchcore.errors import DataError
from patchcore.labels.annotated_image import (
    AnnotatedImage,
    ellipse,
    image_size,
    number,
    polygon,
    rectangle,
    runs,
)
from patchcore.labels.drawing import Mark

DEEPEST = 64  # elements within elements
DRAWN = frozenset({"polygon", "box", "ellipse", "mask"})
WITHOUT_AREA = frozenset({"polyline", "points", "skeleton", "cuboid"})
CHUNK = 1 << 16
MOST_ELEMENTS = 1_000_000


def read_cvat(text: str) -> list[AnnotatedImage]:
    """Return the images of a file.

    Raises
    ------
    DataError
        It is not XML, declares a document type, is nested too deeply, has too many elements, or is not CVAT's for
        images.
    """
    # Entities can stand for any text, files of this computer too, and only a document type declares them.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError("it declares a document type, which CVAT never does; it was not read.")
    found: list[AnnotatedImage] = []
    depth, root, count = 0, "", 0
    parser: Any = ElementTree.XMLPullParser(("start", "end"))  # its events have no types
    try:
        for start in range(0, len(text), CHUNK):
            parser.feed(text[start : start + CHUNK])
            for event, element in parser.read_events():
                depth += 1 if event == "start" else -1
                count += event == "start"
                root = root or element.tag
                if depth > DEEPEST:
                    raise DataError("it is nested too deeply; it was not read.")
                if count > MOST_ELEMENTS:
                    raise DataError(
                        f"it has more than {MOST_ELEMENTS:,} elements; it was not read. Split it."
                    )
                _take(event, element, found)
        parser.close()
    except ElementTree.ParseError as fault:
        raise DataError(f"it is damaged ({fault}). Export it once more.") from fault
    if root != "annotations" or not found:
        raise DataError(
            "it is XML, but not CVAT's for images; it was not read. Export it as CVAT for images 1.1."
        )
    return found


def _take(event: str, element: ElementTree.Element, found: list[AnnotatedImage]) -> None:
    if event == "start":
        if element.tag == "image":
            size = image_size(element.get("height"), element.get("width"))
            found.append(AnnotatedImage(element.get("name", ""), size))
        return
    if not found:
        return
    image, values = found[-1], dict(element.attrib)
    if element.tag in WITHOUT_AREA:
        image.ignored[element.tag] += 1
    elif element.tag in DRAWN:
        image.add(values.get("label", ""), _marks, element.tag, values)
    if element.tag in DRAWN | WITHOUT_AREA | {"image"}:
        element.clear()


def _marks(kind: str, values: Mapping[str, Any]) -> list[Mark]:
    degrees = number(values.get("rotation", 0))
    if kind == "polygon":
        return [polygon([pair.split(",") for pair in values["points"].split(";")])]
    if kind == "box":
        corners = [number(values[name]) for name in ("xtl", "ytl", "xbr", "ybr")]
        return [rectangle((corners[0], corners[1]), (corners[2], corners[3]), degrees)]
    if kind == "ellipse":
        cx, cy, rx, ry = (number(values[name]) for name in ("cx", "cy", "rx", "ry"))
        return [ellipse((cx, cy), (rx, ry), degrees)]
    left, top, width, height = (int(number(values[name])) for name in ("left", "top", "width", "height"))
    counts = np.array([int(number(count, 0)) for count in values["rle"].split(",")], np.int64)
    return [runs(counts, height, width, left=left, top=top)]
