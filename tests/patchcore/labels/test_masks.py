"""Masks as people and programs save them: each picture of the same defect marks the same pixels."""

import io

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image
from scipy import ndimage

from patchcore.errors import DataError, SettingsError, UnreadableImage
from patchcore.labels.drawing import Drawing, Polygon
from patchcore.labels.masks import Marks, marked, mask_of, note, read_marks, read_region, sentences

SHAPE = (32, 48)
SCRATCH = np.zeros(SHAPE, bool)
SCRATCH[4:12, 6:30] = True
SPOT = np.zeros(SHAPE, bool)
SPOT[20:28, 34:42] = True
BOTH = SCRATCH | SPOT


def encoded(pixels, mode=None, kind="PNG", palette=None, **options):
    picture = Image.fromarray(pixels) if mode is None else Image.fromarray(pixels, mode)
    if palette:
        picture.putpalette(palette)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def grey(scratch, spot=None, dtype=np.uint8):
    return (SCRATCH * dtype(scratch) + SPOT * dtype(scratch if spot is None else spot)).astype(dtype)


def layered(colour, alpha):
    return np.dstack([np.broadcast_to(np.asarray(colour, np.uint8), (*SHAPE, len(colour))), alpha]).astype(
        np.uint8
    )


def indexed(pixels, palette, **options):
    picture = Image.fromarray(pixels.astype(np.uint8), "P")
    picture.putpalette(palette)
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


OPAQUE = BOTH * 255
SMOOTH = np.rint(ndimage.uniform_filter(BOTH * 255.0, (1, 3))).astype(np.uint8)
VOC = (0, 0, 0, 128, 0, 0, 0, 128, 0, 224, 224, 192)
PICTURES = {
    "black and white": encoded(grey(255)),
    "one bit": encoded(BOTH),
    "0 and 1": encoded(grey(1)),
    "class numbers": encoded(grey(1, 2)),
    "class numbers to 7": encoded(grey(3, 7)),
    "class numbers of 16 bits": encoded(grey(1, 300, np.uint16)),
    "numbers of instances": tiff(grey(24001, 24002, np.uint16)),
    "white of 16 bits": encoded(grey(65535, dtype=np.uint16)),
    "float": tiff(grey(1, dtype=np.float32)),
    "whole numbers of 32 bits": tiff(grey(1, 2, np.int32)),
    "classes as greys": encoded(grey(64, 255)),
    "192 and 255": encoded(grey(192, 255)),
    "bitmap": encoded(grey(255), kind="BMP"),
    "white as zero": tiff(~grey(255), photometric="miniswhite"),
    "smooth edges": encoded(SMOOTH),
    "JPEG": encoded(grey(255), kind="JPEG", quality=70),
    "grey JPEG": encoded(grey(150), kind="JPEG", quality=90),
    "WebP": encoded(np.dstack([grey(255)] * 3), kind="WEBP", lossless=True),
    "red on black": encoded(np.dstack([grey(255), grey(0), grey(0)])),
    "a colour a class": encoded(np.dstack([SCRATCH * 64, SPOT * 128, SPOT * 0]).astype(np.uint8)),
    "palette": indexed(SCRATCH * 1 + SPOT * 2, VOC),
    "palette without background": indexed(SCRATCH * 1 + SPOT * 2, (255, 255, 255, *VOC[3:]), transparency=0),
    "white on transparent": encoded(layered((255, 255, 255), OPAQUE)),
    "red on transparent": encoded(layered((255, 0, 0), OPAQUE)),
    "half transparent red": encoded(layered((255, 0, 0), OPAQUE // 2)),
    "grey on transparent": encoded(layered((200,), OPAQUE)),
    "black on transparent": encoded(layered((0, 0, 0), OPAQUE)),
    "black on transparent white": encoded(
        np.dstack([~OPAQUE.astype(np.uint8)] * 3 + [OPAQUE.astype(np.uint8)])
    ),
    "transparency without meaning": encoded(np.dstack([grey(255)] * 3 + [np.zeros(SHAPE, np.uint8)])),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_picture_marks_the_same_pixels(name):
    assert_array_equal(read_marks(PICTURES[name]).pixels, BOTH)


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("black and white", set()),
        ("smooth edges", {"grey"}),
        ("JPEG", {"grey"}),
        ("class numbers", {"classes"}),
        ("classes as greys", {"grey"}),
        ("black on transparent", {"alpha"}),
    ],
)
def test_the_reading_of_greys_classes_and_transparency_is_noted(name, notes):
    assert read_marks(PICTURES[name]).notes == notes


def test_a_grey_beside_a_brighter_place_is_its_edge_and_a_grey_alone_a_class():
    values = np.zeros((9, 20), np.uint8)
    values[2:7, 3:10], values[2:7, 10:12] = 255, 90
    assert_array_equal(marked(values).pixels, values == 255)
    values[2:7, 14:16] = 90
    assert_array_equal(np.argwhere(marked(values).pixels.any(axis=0)).ravel(), [*range(3, 10), 14, 15])


def test_noise_near_black_marks_nothing():
    values = grey(255)
    values[0:4, 0:4] = 3
    assert_array_equal(marked(values).pixels, BOTH)


def test_class_numbers_in_a_jpeg_are_refused():
    with pytest.raises(DataError, match="compression changes such small numbers"):
        read_marks(encoded(grey(1, 2), kind="JPEG"))


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x93NUMPY\x01\x00", encoded(grey(255))[:60]])
def test_what_is_no_picture_is_named(data):
    with pytest.raises(UnreadableImage, match="the mask of x"):
        read_marks(data, "the mask of x")


def test_a_photograph_is_no_mask():
    noisy = np.random.default_rng(0).normal(120, 30, SHAPE).clip(1, 255).astype(np.uint8)
    with pytest.raises(DataError, match="as in a photograph"):
        read_marks(encoded(noisy))


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="not finite"):
        read_marks(tiff(np.full(SHAPE, np.nan, np.float32)))


def one(data, shape=SHAPE, drawing=None):
    return mask_of([("m.png", data)], drawing, shape)


def test_several_masks_and_a_drawing_are_united():
    parts = [("a.png", encoded(SCRATCH * np.uint8(255))), ("b.png", encoded(SPOT * np.uint8(1)))]
    assert_array_equal(mask_of(parts, None, SHAPE).pixels, BOTH)
    drawing = Drawing((Polygon(((34.0, 20.0), (42.0, 20.0), (42.0, 28.0), (34.0, 28.0))),), SHAPE)
    assert_array_equal(mask_of(parts[:1], drawing, SHAPE).pixels, BOTH)
    assert mask_of([], None, SHAPE) is None
    with pytest.raises(UnreadableImage, match=r"c\.png"):
        mask_of([*parts, ("c.png", b"")], None, SHAPE)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_mask_of_the_same_proportions_is_scaled(factor):
    large = np.kron(BOTH, np.ones((factor, factor), bool))
    found = one(encoded(large * np.uint8(255)))
    assert_array_equal(found.pixels, BOTH)
    assert found.notes == {"scaled"}
    assert_array_equal(one(encoded(BOTH * np.uint8(255)), large.shape).pixels, large)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((48, 32), "48 × 32 but the image 32 × 48.* turned by a quarter"),
        ((32, 40), "48 × 32 but the image 40 × 32"),
        ((60, 48), "48 × 32 but the image 48 × 60"),
    ],
)
def test_a_mask_of_other_proportions_is_refused(shape, words):
    with pytest.raises(DataError, match=words):
        one(PICTURES["black and white"], shape)


@pytest.mark.parametrize(("values", "words"), [(np.zeros, "marks nothing"), (np.ones, "marks every pixel")])
def test_a_mask_of_nothing_and_one_of_everything_are_refused(values, words):
    with pytest.raises(DataError, match=words):
        one(encoded(values(SHAPE, np.uint8)))


def test_a_mask_of_nearly_everything_is_noted():
    assert one(encoded(~grey(255))).notes == {"nearly all"}
    notes = {}
    for name in "bbac":
        note(notes, f"{name}.png", Marks(BOTH, frozenset({"nearly all", "grey"})))
    note(notes, "none.png", None)
    greys, inverted = sentences(notes)
    assert greys.startswith("3 masks have grey values") and greys.endswith("(first: b.png).")
    assert inverted.startswith("3 masks mark more than 75% of the picture")


@pytest.mark.parametrize(
    "name", ["black and white", "white on transparent", "black on transparent", "class numbers"]
)
def test_a_region_of_interest_is_read_like_a_mask(tmp_path, name):
    path = tmp_path / "roi.png"
    path.write_bytes(PICTURES[name])
    pixels, said = read_region(path)
    assert_array_equal(pixels, BOTH)
    assert bool(said) == (name in ("black on transparent", "class numbers"))


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (grey(0), "marks nothing"),
        (~grey(0), "marks every pixel"),
        (layered((255, 255, 255), np.full(SHAPE, 200)), "marks every pixel"),
        (layered((0, 0, 0), np.full(SHAPE, 255)), "marks nothing"),
    ],
)
def test_a_region_of_nothing_or_everything_is_refused(tmp_path, pixels, words):
    path = tmp_path / "roi.png"
    path.write_bytes(encoded(pixels))
    with pytest.raises(SettingsError, match=rf"roi\.png {words}"):
        read_region(path)
