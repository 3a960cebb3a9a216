"""Labelme's JSON: one file an image, with shapes of named classes."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from patchcore.errors import DataError, ImageError
from patchcore.images.raw_image import Limits
from patchcore.images.reading import read_samples
from patchcore.labels.annotated_image import (
    MOST_PIXELS,
    AnnotatedImage,
    ellipse,
    image_size,
    point,
    polygon,
    rectangle,
    runs,
)
from patchcore.labels.drawing import Mark, Runs

WITHOUT_AREA = frozenset({"line", "linestrip", "point", "points"})


def is_labelme(values: Any) -> bool:
    """Whether a JSON value is labelme's."""
    return isinstance(values, dict) and isinstance(values.get("shapes"), list)


def read_labelme(values: Mapping[str, Any]) -> AnnotatedImage:
    """Return the image of a file that `is_labelme`."""
    name = values.get("imagePath")
    size = image_size(values.get("imageHeight"), values.get("imageWidth"))
    found = AnnotatedImage(name if isinstance(name, str) else "", size)
    room = MOST_PIXELS
    for shape in values["shapes"]:
        if not isinstance(shape, dict):
            found.faults.append("one of its shapes is not written as labelme writes it")
            continue
        kind = str(shape.get("shape_type") or "polygon")
        if kind in WITHOUT_AREA:
            found.ignored[kind] += 1
        else:
            before = len(found.marks)
            found.add(str(shape.get("label", "")), _marks, kind, shape, room)
            room -= sum(
                mark.height * mark.width for _, mark in found.marks[before:] if isinstance(mark, Runs)
            )
    return found


def _marks(kind: str, shape: Mapping[str, Any], room: int) -> list[Mark]:
    points = shape["points"]
    if kind in ("polygon", "oriented_rectangle"):
        return [polygon(points)]
    if kind == "mask":
        return [_mask(shape, room)]
    if kind not in ("rectangle", "circle") or len(points) < 2:
        raise DataError(f"{kind[:40]!r} with {len(points):,} points is not a shape of labelme's")
    first, second = point(points[0]), point(points[1])
    if kind == "rectangle":
        return [rectangle(first, second)]
    radius = float(np.hypot(second[0] - first[0], second[1] - first[1]))  # from the centre to a point on it
    return [ellipse(first, (radius, radius))]


def _mask(shape: Mapping[str, Any], room: int) -> Mark:
    """Return a painted mask, a picture in base64 with its place in the image, of `room` pixels at most."""
    left, top = point(shape["points"][0])
    try:
        data = base64.b64decode(shape["mask"], validate=True)
        samples = read_samples(data, limits=Limits(max_pixels=room)).samples
    except (binascii.Error, ImageError) as fault:
        raise DataError(
            f"its mask is not a picture, or the masks together have over {MOST_PIXELS:,} pixels"
        ) from fault
    marks = (samples if samples.ndim == 2 else samples.max(axis=2)) > 0
    changes = np.flatnonzero(np.diff(marks.ravel(), prepend=False, append=not marks.ravel()[-1]))
    counts = np.diff(changes, prepend=0)
    return runs(counts, *marks.shape, left=round(left), top=round(top))
