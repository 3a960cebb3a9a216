"""The part of an image that one patch covers, against figures worked out by hand."""

import pytest

from patchcore.images.geometry import Geometry
from patchcore.images.visible_detail import MUCH_LARGER, VisibleDetail


@pytest.mark.parametrize(
    ("size", "mode", "side", "words"),
    [
        ((8192, 512), "fit", 224, "880 × 512 px"),  # 3 × 8 px of 224, and 8192 / 224 = 36.6
        ((8192, 512), "stretch", 224, "880 × 55 px"),
        ((8192, 512), "fit", 512, "380 × 380 px"),
        ((4096, 3000), "crop", 224, "280 × 280 px"),  # the short side becomes 256 px
        ((3000, 4096), "fit", 1024, "96 × 96 px"),
        ((224, 224), "fit", 224, "24 × 24 px"),
        ((100, 20), "fit", 224, "11 × 11 px"),
    ],
)
def test_one_patch_covers(size, mode, side, words):
    assert VisibleDetail.of(size, Geometry(mode, side), 8).patch_words == words


def test_images_much_larger_than_the_input_have_a_remark_with_what_helps():
    remark = VisibleDetail.of((8192, 512), Geometry("fit", 224), 8).remark
    assert remark.startswith(
        "One patch covers 880 × 512 px of this image (8,192 × 512 px); defects below about that are not seen."
    )
    for help_ in ("image size of 512 px lowers it to 380", "stretch makes it 880 × 55", "Tiles of 512 px"):
        assert help_ in remark
    large = VisibleDetail.of((16000, 16000), Geometry("fit", 1024), 8).remark
    assert "image size of 2,048 px" in large and "stretch" not in large
    largest = VisibleDetail.of((16000, 16000), Geometry("stretch", 2048), 8).remark
    assert "image size" not in largest and "Tiles of 6,144 px" in largest


@pytest.mark.parametrize("mode", ["fit", "stretch", "crop"])
def test_images_near_the_size_of_the_input_have_none(mode):
    side = int(MUCH_LARGER * 224)
    assert VisibleDetail.of((side, side), Geometry(mode, 224), 8).remark is None
    assert VisibleDetail.of((side * 2, side * 2), Geometry(mode, 224), 8).remark is not None


def test_every_image_has_a_sentence_on_what_is_seen():
    small = VisibleDetail.of((448, 224), Geometry("fit", 224), 8)
    assert small.remark is None
    assert small.sentence == (
        "At 224 px one patch covers 48 × 48 px of an image of 448 × 224 px; a defect much smaller than that may fade."
    )
    large = VisibleDetail.of((4480, 2240), Geometry("fit", 224), 8)
    assert large.sentence == large.remark
