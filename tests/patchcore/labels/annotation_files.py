"""Annotation files of every kind that mark the same pixels, for the command line and the dashboard alike."""

import base64
import io
import json

import numpy as np
from PIL import Image

BOX = (10, 6, 30, 14)
"""left, top, right, bottom of the marked pixels"""


def box_mask(size):
    """The marked pixels of an image of a size (H, W)."""
    left, top, right, bottom = BOX
    pixels = np.zeros(size, bool)
    pixels[top:bottom, left:right] = True
    return pixels


def corners():
    left, top, right, bottom = BOX
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def labelme(name, size, *shapes, **rest):
    """A file of labelme's; by default with one polygon."""
    shapes = shapes or ({"label": "scratch", "points": corners(), "shape_type": "polygon"},)
    values = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": name, "imageData": None}
    return json.dumps(values | {"imageHeight": size[0], "imageWidth": size[1]} | rest).encode()


def labelme_mask(name, size):
    """A file of labelme's with a painted mask."""
    left, top, right, bottom = BOX
    stream = io.BytesIO()
    Image.fromarray(np.ones((bottom - top, right - left), np.uint8)).save(stream, "PNG")
    shape = {
        "label": "scratch",
        "points": [[left, top], [right - 1, bottom - 1]],
        "shape_type": "mask",
        "mask": base64.b64encode(stream.getvalue()).decode(),
    }
    return labelme(name, size, shape)


def coco(images, segmentation=None, size=(32, 48), **rest):
    """A file of COCO's; the images, each with whether it has a defect."""
    outline = [[value for corner in corners() for value in corner]] if segmentation is None else segmentation
    return json.dumps(
        {
            "images": [
                {"id": number, "file_name": name, "height": size[0], "width": size[1]}
                for number, name in enumerate(images)
            ],
            "annotations": [
                {"id": number, "image_id": number, "category_id": 7, "iscrowd": 0, "segmentation": outline}
                | rest
                for number, has_defect in enumerate(images.values())
                if has_defect
            ],
            "categories": [{"id": 7, "name": "scratch"}],
        }
    ).encode()


def run_lengths(size):
    """COCO's run lengths of the box, down the columns."""
    flat = box_mask(size).T.ravel()
    changes = np.flatnonzero(np.diff(flat, prepend=False))
    return np.diff([0, *changes, flat.size]).tolist()


def packed(counts):
    """COCO's compressed run lengths, as its own program packs them."""
    text = ""
    for at, count in enumerate(counts):
        value = count - counts[at - 2] if at > 2 else count
        more = True
        while more:
            code, value = value & 31, value >> 5
            more = value != (-1 if code & 16 else 0)
            text += chr((code | 32 * more) + 48)
    return text


def cvat(images, shape=None, size=(32, 48)):
    """A file of CVAT's; the images, each with whether it has a defect."""
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in corners())
    shape = shape or f'<polygon label="scratch" points="{points}" z_order="0"/>'
    rows = "".join(
        f'<image id="{number}" name="{name}" width="{size[1]}" height="{size[0]}">{shape if has_defect else ""}</image>'
        for number, (name, has_defect) in enumerate(images.items())
    )
    return f"<?xml version='1.0' encoding='utf-8'?><annotations><version>1.1</version>{rows}</annotations>".encode()
