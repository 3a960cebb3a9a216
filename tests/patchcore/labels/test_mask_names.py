"""Names of masks: folders of masks and masks beside their images, as public sets and programs name them."""

import pytest

from patchcore.labels.good_images import choose_good
from patchcore.labels.layout import read_names
from patchcore.labels.mask_names import is_annotation, masks_beside

NAMES = (
    "000_mask.png", "000.png", "000_GT.png", "000-mask.tif", "000.gt.bmp", "000_label.PNG", "000_seg.jpg",
    "000_Mask.TIFF", "000 mask.png", "mask_000.png", "gt-000.png", "000.png_mask.png", "000.jpg.png",
    "000_ground_truth.png", "000_defect_mask.png", "000mask.webp", "000_annotation.pgm", "000_1.png", "000 (2).png",
    "000_Maske.png",
)  # fmt: skip


@pytest.mark.parametrize("mask", NAMES)
@pytest.mark.parametrize("folder", ["ground_truth/dent", "Masks/dent", "test/gt/dent", "labels"])
def test_a_mask_in_a_folder_of_masks_is_found_by_any_common_name(folder, mask):
    image = "test/dent/000.JPG"
    read = read_names(["test/good/000.png", image, "test/dent/001.JPG", f"{folder}/{mask}"])
    assert read.masks == {image: [f"{folder}/{mask}"]} and read.problems == []


@pytest.mark.parametrize(
    "masks",
    [
        ["000_mask1.png", "000_mask2.png"],
        ["000_mask.png", "000_mask_2.png", "000_mask (3).png"],
        ["000_1.png", "000_2.png"],
        ["000/a.png", "000/b.png"],
    ],
)
@pytest.mark.parametrize("folder", ["ground_truth/dent", "masks"])
def test_several_masks_belong_to_one_image(folder, masks):
    masks = [f"{folder}/{mask}" for mask in masks]
    read = read_names(["test/good/0.png", "test/dent/000.png", "test/dent/00.png", *masks])
    assert read.masks == {"test/dent/000.png": sorted(masks)} and read.problems == []


def test_each_mask_belongs_to_one_image_alone():
    names = ["test/good/0.png", *(f"test/dent/{one}.png" for one in ("1", "1_1", "1_2", "2_label"))]
    masks = [f"gt/dent/{one}.png" for one in ("1_1", "1_2", "2_label")]
    assert read_names([*names, *masks]).masks == {
        f"test/dent/{one}.png": [f"gt/dent/{one}.png"] for one in ("1_1", "1_2", "2_label")
    }


def test_a_picture_beside_its_mask_is_no_mask():
    names = ["test/good/0.png", "test/dent/1.png", "gt/dent/1.png", "gt/dent/1_mask.png"]
    read = read_names(names)
    assert read.masks == {"test/dent/1.png": ["gt/dent/1_mask.png"]}
    assert "No image belongs to 1 mask (gt/dent/1.png)" in read.problems[0]


@pytest.mark.parametrize(
    ("image", "mask"),
    [("0.jpg", "0_mask.png"), ("A1.PNG", "a1_GT.png"), ("0.png", "0-label.bmp"), ("0.tif", "0.seg.tif"),
     ("0.png", "0_gt2.png")],
)  # fmt: skip
def test_a_mask_beside_its_image_is_no_image(image, mask):
    names = [
        f"good/{image}",
        f"good/{mask}",
        f"dent/{image}",
        f"dent/{mask}",
        "dent/_mask.png",
        "dent/mask.png",
    ]
    read = read_names(names)
    assert read.masks == {f"dent/{image}": [f"dent/{mask}"]}
    assert read.masks_of_good == {f"good/{image}": [f"good/{mask}"]}
    assert set(read.labels) == {f"good/{image}", f"dent/{image}", "dent/_mask.png", "dent/mask.png"}
    assert choose_good(names).names == [f"good/{image}"]


def test_a_name_without_an_image_beside_it_is_an_image():
    assert masks_beside(["bottle_label.png", "a/0.png", "b/0_mask.png"]) == {}


def test_a_folder_of_a_type_that_is_called_like_an_image_is_the_types():
    names = ["test/good/dent.png", "test/dent/0.png", "ground_truth/dent/0.png"]
    assert read_names(names).masks == {"test/dent/0.png": ["ground_truth/dent/0.png"]}


def test_a_mask_that_several_images_may_have_is_not_guessed():
    names = ["test/good/0.png", "test/dent/0.png", "test/hole/0.png", "masks/0.png"]
    read = read_names(names)
    assert read.masks == {} and "No image belongs to 1 mask (masks/0.png), or several do" in read.problems[0]


@pytest.mark.parametrize(
    ("name", "may"),
    [("a.json", True), ("sub/A.XML", True), (".hidden.json", False), ("a.csv", False), ("a.json.png", False)],
)
def test_annotation_files_by_name(name, may):
    assert is_annotation(name) == may
