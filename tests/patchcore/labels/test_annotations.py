"""Annotation files of three programs, and files that a stranger has spoilt."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore.errors import DataError
from patchcore.labels import annotations, drawing
from patchcore.labels.annotations import read_annotations
from patchcore.labels.coco import unpacked
from patchcore.labels.drawing import Drawing
from tests.patchcore.labels.annotation_files import (
    BOX,
    box_mask,
    coco,
    corners,
    cvat,
    labelme,
    labelme_mask,
    packed,
    run_lengths,
)

SIZE = (32, 48)
LEFT, TOP, RIGHT, BOTTOM = BOX
ONE = {"a.png": True}


def runs_of_cvat():
    inside = (RIGHT - LEFT) * (BOTTOM - TOP)
    return f'<mask label="s" rle="0, {inside}" left="{LEFT}" top="{TOP}" width="20" height="8"/>'


SAME = {
    "labelme.json": labelme("a.png", SIZE),
    "labelme rectangle.json": labelme(
        "a.png", SIZE, {"label": "s", "points": [[RIGHT, TOP], [LEFT, BOTTOM]], "shape_type": "rectangle"}
    ),
    "labelme mask.json": labelme_mask("a.png", SIZE),
    "labelme in upper case.JSON": labelme("..\\images\\a.png", SIZE),
    "coco.json": coco(ONE),
    "coco runs.json": coco(ONE, {"counts": run_lengths(SIZE), "size": SIZE}),
    "coco packed.json": coco(ONE, {"counts": packed(run_lengths(SIZE)), "size": SIZE}, iscrowd=1),
    "coco box.json": coco(ONE, [], bbox=[LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP]),
    "cvat.xml": cvat(ONE),
    "cvat box.xml": cvat(ONE, f'<box label="s" xtl="{LEFT}" ytl="{TOP}" xbr="{RIGHT}" ybr="{BOTTOM}"/>'),
    "cvat mask.xml": cvat(ONE, runs_of_cvat()),
    "cvat in utf-16.xml": cvat(ONE).decode().replace("utf-8", "utf-16").encode("utf-16"),
}


def drawn(data, name="a.json", size=SIZE):
    (image,) = read_annotations(data, name)
    assert image.faults == []
    return Drawing(tuple(mark for _, mark in image.marks), image.size).marks(size)


@pytest.mark.parametrize("name", SAME)
def test_every_kind_of_file_marks_the_same_pixels(name):
    pixels, notes = drawn(SAME[name], name)
    assert_array_equal(pixels, box_mask(SIZE))
    assert notes == frozenset()


def test_packed_runs_are_unpacked():
    assert unpacked("<5o`0").tolist() == [
        12,
        5,
        543,
    ]  # by hand, as rleToString of COCO's maskApi.c packs them
    for seed in range(5):
        counts = np.random.default_rng(seed).integers(0, 5000, 40).tolist()
        assert unpacked(packed(counts)).tolist() == counts


@pytest.mark.parametrize(
    "file", [labelme("a.png", SIZE), coco(ONE), cvat(ONE), SAME["coco runs.json"], SAME["cvat mask.xml"]]
)
def test_marks_are_scaled_to_an_image_of_the_same_proportions(file):
    name = "a.xml" if file.startswith(b"<") else "a.json"
    pixels, notes = drawn(file, name, (64, 96))
    assert_array_equal(pixels, np.kron(box_mask(SIZE), np.ones((2, 2), bool)))
    assert notes == {"scaled"}
    with pytest.raises(DataError, match="annotated image is 48 × 32 but the image 50 × 50"):
        drawn(file, name, (50, 50))


def test_circles_ellipses_and_turned_boxes():
    circle = {"label": "s", "points": [[20, 16], [26, 16]], "shape_type": "circle"}
    y, x = np.mgrid[0:32, 0:48] + 0.5
    assert_array_equal(drawn(labelme("a.png", SIZE, circle))[0], (x - 20) ** 2 + (y - 16) ** 2 <= 36)
    flat = drawn(cvat(ONE, '<ellipse label="s" cx="20" cy="16" rx="9" ry="3"/>'), "a.xml")[0]
    upright = drawn(cvat(ONE, '<ellipse label="s" cx="20" cy="16" rx="9" ry="3" rotation="90"/>'), "a.xml")[0]
    assert_array_equal(flat, ((x - 20) / 9) ** 2 + ((y - 16) / 3) ** 2 <= 1)
    assert_array_equal(upright, ((x - 20) / 3) ** 2 + ((y - 16) / 9) ** 2 <= 1)
    turned = drawn(
        cvat(ONE, '<box label="s" xtl="10" ytl="14" xbr="30" ybr="18" rotation="90.0"/>'), "a.xml"
    )[0]
    assert turned[6:26, 18:22].all() and turned.sum() == 80


@pytest.mark.parametrize(
    ("points", "pixels"),
    [
        ([[-20, -20], [9, -20], [9, 900], [-20, 900]], (32, 9)),
        ([[40, 0], [1e5, 0], [1e5, 32], [40, 32]], (32, 8)),
    ],
)
def test_marks_are_clipped_at_the_image(points, pixels):
    found, notes = drawn(labelme("a.png", SIZE, {"label": "s", "points": points}))
    assert found.sum() == pixels[0] * pixels[1] and notes == {"outside"}


@pytest.mark.parametrize(
    "points",
    [[[5, 5.2], [25, 5.2], [25, 5.3]], [[7.1, 9.1], [7.2, 9.1], [7.2, 9.2]], [[3, 3], [3, 3], [3, 3]]],
)
def test_an_outline_that_is_thinner_than_a_pixel_is_not_lost(points):
    pixels, _ = drawn(labelme("a.png", SIZE, {"label": "s", "points": points}))
    assert pixels.sum() == max(1, round(points[1][0] - points[0][0]) + 1)


def test_shapes_without_an_area_are_counted():
    lines = [
        {"label": "s", "points": [[1, 1], [2, 2]], "shape_type": kind} for kind in ("line", "line", "point")
    ]
    (image,) = read_annotations(labelme("a.png", SIZE, *lines), "a.json")
    assert (image.marks, dict(image.ignored)) == ([], {"line": 2, "point": 1})
    (image,) = read_annotations(
        cvat(ONE, '<polyline label="s" points="1,1;2,2"/><points label="s"/>'), "a.xml"
    )
    assert (image.marks, dict(image.ignored)) == ([], {"polyline": 1, "points": 1})


def shape(**values):
    return labelme("a.png", SIZE, {"label": "s", "points": corners()} | values)


NAN = [[float("nan"), 1], [2, 2], [3, 1]]
SPOILT = {
    "two points": (shape(points=[[1, 1], [2, 2]]), "has 2 points"),
    "a coordinate that is no number": (shape(points=NAN), "nan lies outside"),
    "an endless coordinate": (shape(points=[[1e300, 1], [2, 2], [3, 1]]), "1e\\+300 lies outside"),
    "words for coordinates": (shape(points=[["left", 1], [2, 2], [3, 1]]), "'left' is not a number"),
    "lists for coordinates": (shape(points=[[[[1]], 1], [2, 2], [3, 1]]), "of the kind list"),
    "three coordinates": (shape(points=[[1, 1, 1], [2, 2, 2], [3, 1, 1]]), "not a pair"),
    "no points": (shape(points=None), "not written as it should be"),
    "a million points": (shape(points=[[1, 1]] * 100_001), "has 100,001 points"),
    "an unknown shape": (shape(shape_type="cuboid"), "'cuboid'"),
    "a mask of text": (shape(shape_type="mask", mask="aGFsbG8="), "its mask is not a picture"),
    "runs beyond the image": (coco(ONE, {"counts": [5, 9_999_999], "size": SIZE}), "do not fill 48 × 32"),
    "runs that are too short": (coco(ONE, {"counts": [5, 5], "size": SIZE}), "do not fill 48 × 32"),
    "negative runs": (coco(ONE, {"counts": [-5, 5], "size": SIZE}), "whole numbers from 0"),
    "runs of words": (coco(ONE, {"counts": ["a", "b"], "size": SIZE}), "whole numbers from 0"),
    "runs of another size": (coco(ONE, {"counts": [100], "size": [10, 10]}), "but the image has 48 × 32"),
    "runs of an endless picture": (
        coco(ONE, {"counts": [10**12], "size": [10**6, 10**6]}, size=(0, 0)),
        "1000000 × 1000000 pixels, which is not possible",
    ),
    "packed runs that break off": (coco(ONE, {"counts": "o", "size": SIZE}), "break off"),
    "packed runs without end": (coco(ONE, {"counts": "o" * 1000, "size": SIZE}), "damaged"),
    "packed runs in other characters": (coco(ONE, {"counts": "\u00e9", "size": SIZE}), "damaged"),
    "a negative box": (coco(ONE, [], bbox=[1, 1, -5, 5]), "box is -5 × 5"),
    "an odd outline": (coco(ONE, [[1, 1, 2, 2, 3]]), "odd number"),
    "neither outline nor box": (coco(ONE, []), "neither an outline nor a box"),
    "a polygon of words": (cvat(ONE, '<polygon label="s" points="a,b;c,d;e,f"/>'), "'a' is not a number"),
    "an ellipse without radius": (cvat(ONE, '<ellipse label="s" cx="1" cy="1" rx="0" ry="1"/>'), "radius"),
    "a mask without its width": (cvat(ONE, '<mask label="s" rle="1, 2" left="0" top="0"/>'), "as it should be"),
    "a mask that is too long": (
        cvat(ONE, '<mask label="s" rle="0, 999" left="0" top="0" width="2" height="2"/>'),
        "do not fill 2 × 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_shape_that_cannot_be_drawn_is_a_fault_of_its_image(name):
    data, words = SPOILT[name]
    (image,) = read_annotations(data, "a.xml" if data.startswith(b"<") else "a.json")
    assert image.marks == [] and len(image.faults) == 1
    assert image.faults[0].startswith("the shape ")
    assert re.search(words, image.faults[0])


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]>
<annotations><image name="&y;" width="4" height="4"/></annotations>"""
DEEP = b"<annotations>" + b"<image>" * 100_000


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.json", b"{", "a.json is damaged"),
        ("a.json", b"", "a.json is damaged"),
        ("a.json", b"[1, 2]", "a.json: it is not labelme JSON, COCO JSON or CVAT XML"),
        ("a.json", b'{"shapes": 3}', "it is not labelme"),
        ("a.json", b'{"images": [], "categories": []}', "it is not labelme"),
        ("a.json", b'{"images": [{"id": 1}], "annotations": []}', "one of its images has no file_name"),
        ("a.json", b"[" * 200_000, "nested too deeply|damaged"),
        ("a.json", b'{"shapes": ' + b"[" * 200_000, "nested too deeply|damaged"),
        ("a.json", b"9" * 6000, "damaged"),
        ("a.json", b"\x89PNG\r\n\x1a\n\xff\xfe", "not text in UTF-8"),
        ("a.xml", b"<annotations><image", "a.xml: it is damaged"),
        ("a.xml", b"<annotation><object><bndbox/></object></annotation>", "not CVAT's for images"),
        ("a.xml", BOMB.encode(), "declares a document type"),
        ("a.xml", BOMB.encode("utf-16"), "declares a document type"),
        ("a.xml", DEEP, "nested too deeply"),
        ("a.xml", b"<annotations><track><box frame='1'/></track></annotations>", "not CVAT's for images"),
    ],
)
def test_a_file_that_is_none_of_the_kinds_is_named(name, data, words):
    with pytest.raises(DataError, match=words):
        read_annotations(data, name)


def test_a_file_that_is_too_large_or_gone_is_named(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"gone\.json cannot be opened"):
        read_annotations(tmp_path / "gone.json", "gone.json")
    monkeypatch.setattr(annotations, "LARGEST", 100)
    (tmp_path / "a.json").write_bytes(labelme("a.png", SIZE))
    with pytest.raises(DataError, match=r"a\.json is larger than"):
        read_annotations(tmp_path / "a.json", "a.json")


@pytest.mark.parametrize(
    ("limit", "data"),
    [
        ("MOST_CORNERS", labelme("a.png", SIZE, *[{"label": "s", "points": corners()}] * 26)),
        ("MOST_AREA", labelme("a.png", SIZE, *[{"label": "s", "points": corners()}] * 2)),
        ("MOST_AREA", SAME["coco runs.json"]),
    ],
)
def test_marks_that_take_minutes_to_draw_are_refused(limit, data, monkeypatch):
    monkeypatch.setattr(drawing, limit, 100)
    with pytest.raises(DataError, match="is too much to draw"):
        drawn(data)
