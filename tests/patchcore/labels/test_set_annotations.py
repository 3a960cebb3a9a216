"""The images that annotation files mean, the labels that they give, and a sentence for all that is not used."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from patchcore.labels.layout import read_names
from patchcore.labels.set_annotations import add_drawings, read_drawings
from patchcore.labels.words import vocabulary
from tests.hostile import tables
from tests.patchcore.labels.annotation_files import coco, corners, cvat, labelme

SIZE = (32, 48)


def read(images, files):
    return read_drawings(files, images, vocabulary())


def read_set(names, files, **contents):
    layout = read_names(names)
    drawn = add_drawings(layout, files, dict.fromkeys(names, b"") | contents, vocabulary())
    return layout, drawn


def shape(label, **rest):
    return {"label": label, "points": corners(), "shape_type": "polygon"} | rest


@pytest.mark.parametrize(
    ("image", "file", "written"),
    [
        ("test/dent/0.png", "test/dent/0.json", "0.png"),
        ("test/dent/0.png", "ground_truth/dent/0.json", "..\\..\\test\\dent\\0.png"),
        ("test/dent/0.png", "ground_truth/dent/0.json", "0.png"),
        ("test/dent/0.png", "ground_truth/dent/0.json", ""),
        ("test/dent/0.png", "annotations/all.json", "dent/0.png"),
        ("test/dent/0.png", "annotations/all.json", "C:\\parts\\test\\dent\\0.PNG"),
        ("test/dent/größe.png", "a.json", "test/dent/gro\u0308ße.png"),
        ("test/dent/only.png", "a.json", "only.jpg"),
        ("test/dent/only.png", "a.json", "/home/someone/only"),
    ],
)
def test_an_image_is_found_by_the_path_that_a_program_wrote(image, file, written):
    images = {image, "test/hole/0.png", "test/good/0.png", "test/good/1.png"}
    for data in (labelme(written, SIZE), coco({written: True}) if written else labelme("", SIZE)):
        found = read(images, {file: data})
        assert list(found.of_image) == [image] and found.problems == []


def test_equal_names_without_their_folders_are_not_guessed():
    found = read(["test/dent/0.png", "test/hole/0.png"], {"coco.json": coco({"0.png": True, "7.png": True})})
    assert found.of_image == {}
    assert found.problems == [
        "coco.json describes 1 image that the set does not hold: 7.png.",
        "coco.json: several images are called 0.png; the file must name their folders, or lie beside them.",
    ]


def test_a_file_of_many_images_draws_each():
    names = {"dent/0.png": True, "dent/1.png": False, "good/0.png": False}
    for name, data in (("a.json", coco(names)), ("a.xml", cvat(names))):
        layout, drawn = read_set(list(names), {name: data})
        assert list(drawn) == ["dent/0.png"]
        assert layout.problems == [
            "1 image (dent/1.png) with a defect, but without a mask; it counts among the images, not among the pixels."
        ]


@pytest.mark.parametrize(
    "label", ["_background_", "Background", "good", "OK", "i.O.", "Hintergrund", "ignore"]
)
def test_classes_of_good_parts_and_background_mark_nothing(label):
    found = read(["0.png"], {"0.json": labelme("0.png", SIZE, shape(label), shape("dent"))})
    assert len(found.of_image["0.png"].parts) == 1 and found.classes == {"0.png": ("dent",)}
    found = read(["0.png"], {"0.json": labelme("0.png", SIZE, shape(label))})
    assert found.of_image == {} and found.classes == {"0.png": ()}


def test_two_files_of_one_image_are_united_unless_their_sizes_differ():
    files = {"0.json": labelme("0.png", SIZE), "all.xml": cvat({"0.png": True})}
    assert len(read(["0.png"], files).of_image["0.png"].parts) == 2
    files["all.xml"] = cvat({"0.png": True}, size=(320, 480))
    found = read(["0.png"], files)
    assert found.of_image == {} and "drawn for images of different sizes" in found.problems[0]


def test_a_shape_that_cannot_be_drawn_takes_the_whole_mask_of_its_image_away():
    files = {"0.json": labelme("0.png", SIZE, shape("dent"), shape("dent", points=[[1, 1]]))}
    found = read(["0.png", "1.png"], files | {"1.json": labelme("1.png", SIZE)})
    assert list(found.of_image) == ["1.png"]
    assert found.problems == [
        "0.json, 0.png: the shape 'dent' cannot be drawn: it has 1 points; an outline needs 3 to 100,000. Mend it; the "
        "image counts without its mask."
    ]


def test_files_and_shapes_that_are_not_read_are_named():
    files = {
        "licence.json": b'{"licence": "MIT"}',
        "broken.xml": b"<annotations>",
        "0.json": labelme("0.png", SIZE, shape("dent"), shape("dent", shape_type="line")),
    }
    found = read(["0.png"], files)
    assert list(found.of_image) == ["0.png"]
    assert [problem.partition(":")[0] for problem in found.problems] == [
        "licence.json",
        "broken.xml",
        "0.json",
    ]
    assert "(1 line)" in found.problems[2]


@pytest.mark.parametrize("folder", ["", "images/"])
def test_images_without_folders_are_labelled_by_their_annotations(folder):
    names = [f"{folder}{number}.png" for number in range(3)]
    marks = {names[0]: True, names[1]: False}
    for name, data in (("a.json", coco(marks)), ("a.xml", cvat(marks))):
        layout, drawn = read_set(names, {name: data})
        assert {one: layout.labels[one] for one in marks} == {names[0]: "scratch", names[1]: "good"}
        assert list(drawn) == [names[0]]
        assert f"2 images ({names[0]}, {names[1]}) labelled by annotation files" in layout.problems[0]


def test_folders_that_name_good_parts_outweigh_classes():
    files = {"a.json": coco({"good/0.png": True, "dent/0.png": True, "dent/1.png": False})}
    layout, drawn = read_set(["good/0.png", "dent/0.png", "dent/1.png"], files)
    assert layout.labels == {"good/0.png": "good", "dent/0.png": "dent", "dent/1.png": "dent"}
    assert list(drawn) == ["dent/0.png"]
    assert "1 image (good/0.png) labelled good, though a mask marks a defect there" in layout.problems[0]


def test_a_mask_of_a_good_image_is_named_where_it_marks_something():
    names = ["good/0.png", "good/1.png", "dent/0.png", "good/0_GT.png", "good/1_GT.png", "dent/0_GT.png"]
    for value, said in ((0, []), (255, ["1 image (good/0.png) labelled good, though a mask"])):
        stream = io.BytesIO()
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(stream, "PNG")
        layout, _ = read_set(names, {}, **{"good/0_GT.png": stream.getvalue()})
        assert [problem.startswith(words) for problem, words in zip(layout.problems, said, strict=True)] == [
            True for _ in said
        ]


def test_defects_without_a_mask_are_said_beside_others_that_have_one():
    layout, _ = read_set(["good/0.png", "dent/0.png", "dent/1.png"], {})
    assert layout.problems == []
    layout, _ = read_set(["good/0.png", "dent/0.png", "dent/1.png", "masks/1.png"], {})
    assert layout.problems == [
        "1 image (dent/0.png) with a defect, but without a mask; it counts among the images, not among the pixels."
    ]


@pytest.mark.parametrize("name", [name for name in tables.ANNOTATIONS if "million elements" not in name])
def test_an_annotation_file_that_declares_far_too_much_is_said_in_a_short_sentence(name):
    source = tables.ANNOTATIONS[name]()
    file = "a.xml" if name.startswith("xml") else "a.json"
    began = time.process_time()
    found = read_drawings({file: source}, ["a.png"], vocabulary())
    assert time.process_time() - began < 3
    assert found.problems or (name == "coco, a height of forty nines" and list(found.of_image) == ["a.png"])
    assert all(len(problem) < 400 for problem in found.problems)
