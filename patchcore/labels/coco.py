"""COCO's JSON: many images in one file, with polygons, run lengths and boxes of numbered classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.labels.annotated_image import AnnotatedImage, image_size, number, polygon, rectangle, runs
from patchcore.labels.drawing import Mark

MOST_RUNS = 10_000_000  # of one mark
MOST_BITS = 40  # of a run's length; no picture is so long


def is_coco(values: Any) -> bool:
    """Whether a JSON value is COCO's."""
    return isinstance(values, dict) and all(
        isinstance(values.get(key), list) for key in ("images", "annotations")
    )


def read_coco(values: Mapping[str, Any]) -> list[AnnotatedImage]:
    """Return the images of a file that `is_coco`.

    Raises
    ------
    DataError
        One of its images has no name or number.
    """
    found: dict[Any, AnnotatedImage] = {}
    for image in values["images"]:
        if not isinstance(image, dict) or not isinstance(image.get("file_name"), str):
            raise DataError("one of its images has no file_name")
        size = image_size(image.get("height"), image.get("width"))
        found[str(image.get("id"))] = AnnotatedImage(image["file_name"], size)
    names = _classes(values.get("categories"))
    for annotation in values["annotations"]:
        if not isinstance(annotation, dict):
            raise DataError("one of its annotations is not written as COCO has it")
        image_id = str(annotation.get("image_id"))
        owner = found.setdefault(image_id, AnnotatedImage(f"number {image_id[:40]}, which is not listed"))
        label = names.get(str(annotation.get("category_id")), "without a class")
        owner.add(label, _marks, annotation, owner.size)
    return list(found.values())


def _classes(categories: Any) -> dict[str, str]:
    entries = categories if isinstance(categories, list) else []
    return {str(one.get("id")): str(one.get("name")) for one in entries if isinstance(one, dict)}


def _marks(annotation: Mapping[str, Any], size: tuple[int, int] | None) -> list[Mark]:
    outline = annotation.get("segmentation")
    if isinstance(outline, dict):
        return [_run_lengths(outline, size)]
    if outline:
        return [_polygon(one) for one in ([outline] if not isinstance(outline[0], list) else outline)]
    if not annotation.get("bbox"):
        raise DataError("it has neither an outline nor a box")
    x, y, width, height = (number(value) for value in annotation["bbox"])
    if min(width, height) <= 0:
        raise DataError(f"its box is {width:g} × {height:g}")
    return [rectangle((x, y), (x + width, y + height))]


def _polygon(values: Sequence[Any]) -> Mark:
    if len(values) % 2:
        raise DataError("its outline has an odd number of coordinates")
    return polygon(list(zip(values[::2], values[1::2], strict=True)))


def _run_lengths(outline: Mapping[str, Any], size: tuple[int, int] | None) -> Mark:
    counts, written = outline["counts"], outline["size"]
    height, width = (int(number(value)) for value in written)
    if size is not None and size != (height, width):
        raise DataError(
            f"its runs fill {width} × {height} pixels, but the image has {size[1]} × {size[0]}; export it again"
        )
    lengths = unpacked(counts) if isinstance(counts, str) else counts
    return runs(lengths, height, width, by_columns=True)


def unpacked(text: str) -> NDArray[np.int64]:
    """Unpack COCO's compressed run lengths: five bits a character, and from the third on the change by two runs.

    Raises
    ------
    DataError
        The text is not such a packing, or holds more than `MOST_RUNS` runs.
    """
    lengths: list[int] = []
    value = bits = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or bits > MOST_BITS:
            raise DataError("its packed runs are damaged")
        value |= (code & 31) << bits
        bits += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << bits
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = bits = 0
        if len(lengths) > MOST_RUNS:
            raise DataError(f"it has more than {MOST_RUNS:,} runs")
    if bits:
        raise DataError("its packed runs break off")
    return np.array(lengths, np.int64)
