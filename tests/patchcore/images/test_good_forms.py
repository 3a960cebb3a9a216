"""What good images have in common, and the remarks on images and sets that depart from it."""

import pytest

from patchcore.images.good_forms import GoodForms, notes_apart, set_remarks
from patchcore.images.reading import ImageRecord


def record(name="a.png", size=(400, 300), **values):
    plain = {"channels": 3, "bit_depth": 8, "highest": 255.0, **values}
    return ImageRecord(name, name, "PNG", *size, **plain)


GOOD = GoodForms.of([record("a"), record("b", (420, 310), bit_depth=16), record("c")])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"colourful": False}, "It is grey, and all 3 good images are in colour"),
        ({"bit_depth": 1}, "It has 1 bits a sample, and the good images have 8 or 16"),
        ({"size": (300, 400)}, "Its shape is another than the good images': 300 × 400 px"),
        ({"size": (800, 600)}, "they have 400 × 300 to 420 × 310 px. Parts should appear at one scale"),
        ({"size": (200, 150)}, "Its size is another"),
    ],
)
def test_an_image_of_another_form_has_a_remark(other, words):
    (remark,) = GOOD.remarks_on(record(**other))
    assert words in remark


def test_images_like_the_good_ones_have_none():
    for like in ({}, {"size": (410, 305)}, {"size": (415, 300)}, {"bit_depth": 16}):
        assert GOOD.remarks_on(record(**like)) == []
    mixed = GoodForms.of([record("a"), record("b", colourful=False)])
    assert mixed.remarks_on(record()) == mixed.remarks_on(record(colourful=False)) == []
    grey = GoodForms.of([record("a", colourful=False)])
    assert "in colour, and all 1 good images are grey" in grey.remarks_on(record())[0]


def test_unused_bits_are_said_of_the_whole_set():
    note = "It has 16 bits, but no value above 1023, as in 10-bit data, which looks dark."
    deep = [record(str(top), bit_depth=16, highest=top, notes=(note, "Turned.")) for top in (900.0, 16000.0)]
    (sentence,) = set_remarks(deep)
    assert "no value lies above 16,000, as in 14-bit data" in sentence and "0 to 16383" in sentence
    assert set_remarks(deep, (0.0, 16383.0)) == set_remarks([]) == []
    assert notes_apart(deep[0]) == ["Turned."]
