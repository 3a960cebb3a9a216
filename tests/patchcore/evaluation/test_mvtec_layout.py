"""Reading labels and masks from folder names."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.mvtec_layout import read_folders, read_layout


def picture(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(path)


@pytest.fixture
def product(tmp_path):
    picture(tmp_path / "test/good/0.png")
    picture(tmp_path / "test/hole/0.png")
    picture(tmp_path / "test/hole/1.png")
    marks(tmp_path / "ground_truth/hole/0_mask.png", 2)
    return tmp_path


def marks(path, rows, value=255, shape=(4, 6)):
    """Write a mask whose first rows are marked."""
    values = np.zeros(shape, np.uint8)
    values[:rows] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def marked_rows(image, shape=(4, 6)):
    """How many pixels of each row of an image are marked."""
    return image.mask(shape).pixels.sum(axis=1).tolist()


@pytest.mark.parametrize("given", ["", "test"])
def test_the_products_folder_or_its_test_folder(product, given):
    images = read_layout(product / given)
    assert [(i.path.name, i.defect_type, i.is_defect) for i in images] == [
        ("0.png", "good", False),
        ("0.png", "hole", True),
        ("1.png", "hole", True),
    ]
    assert [i.mask_path is not None for i in images] == [False, True, False]
    assert marked_rows(images[1]) == [6, 6, 0, 0]
    assert images[2].mask((4, 6)) is None


def test_masks_inside_the_test_folder(product):
    (product / "ground_truth").rename(product / "test/ground_truth")
    images = read_layout(product / "test")
    assert len(images) == 3
    assert images[1].mask_path is not None


def test_folders_that_are_not_labelled_sets_are_refused(tmp_path):
    with pytest.raises(NoImagesError, match="no folder"):
        read_layout(tmp_path / "absent")
    with pytest.raises(DataError, match="no subfolders"):
        read_layout(tmp_path)
    (tmp_path / "good").mkdir()
    with pytest.raises(NoImagesError, match="no images"):
        read_layout(tmp_path)


def test_dark_marks_and_greys(product):
    target = product / "ground_truth/hole/0_mask.png"
    values = np.zeros((4, 6), np.uint8)
    values[1, 2] = 1  # a map of labels: 0 and 1
    Image.fromarray(values).save(target)
    assert_array_equal(read_layout(product)[1].mask((4, 6)).pixels, values == 1)
    values[1, 3:5] = 100, 200
    Image.fromarray(values).save(target)
    marks = read_layout(product)[1].mask((4, 6))
    assert_array_equal(marks.pixels, values == 200)
    assert marks.notes == {"grey"}


@pytest.mark.parametrize("name", ["größe", "Ångström", "Việt"])
def test_masks_are_found_in_another_form_of_unicode(tmp_path, name):
    apart, whole = (unicodedata.normalize(form, name) for form in ("NFD", "NFC"))
    picture(tmp_path / f"test/good/{whole}.png")
    for kind, image, mask in ((apart, whole, apart), (f"{whole} 2", apart, whole)):
        picture(tmp_path / f"test/{kind}/{image}.png")
        marks = unicodedata.normalize("NFC" if kind == apart else "NFD", kind)
        picture(tmp_path / f"ground_truth/{marks}/{mask}_mask.png", 255)
    assert [image.has_mask for image in read_layout(tmp_path) if image.is_defect] == [True, True]


def test_a_labelled_set_without_images_counts_its_files(tmp_path):
    for name in ("good/a.gif", "good/b.gif", "hole/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"GIF89a" if name.endswith("gif") else b"lot 7")
    with pytest.raises(NoImagesError, match="2 GIFs, 1 text file"):
        read_layout(tmp_path)
    (tmp_path / "hole").rename(tmp_path / "other")
    (tmp_path / "set").mkdir()
    (tmp_path / "good").rename(tmp_path / "set/good")
    (tmp_path / "set/hole").symlink_to(tmp_path / "other")
    (tmp_path / "set/good/more").symlink_to(tmp_path / "other")
    with pytest.raises(NoImagesError, match=r"2 GIFs, 2 text files\. Export"):
        read_layout(tmp_path / "set")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["train/good/0.png", "train/good/1.png"], "2 below train"),
        (
            ["train/good/0.png", "val/good/0.png", "test/x.png"],
            "1 below train, 1 below validation, 1 without",
        ),
        (
            ["masks/dent/0.png", "test/readme/", "x.png"],
            "1 without a folder for a label, 1 in folders of masks",
        ),
    ],
)
def test_a_set_whose_images_have_no_label_says_where_they_lie(tmp_path, names, words):
    for name in names:
        (tmp_path / name).mkdir(parents=True) if name.endswith("/") else picture(tmp_path / name)
    with pytest.raises(NoImagesError, match=f"holds no image with a label. Its images: {words}"):
        read_layout(tmp_path)


def test_several_masks_of_an_image_are_united(tmp_path):
    picture(tmp_path / "test/good/0.png")
    picture(tmp_path / "test/logical_anomalies/7.png")
    for number, value in enumerate((255, 40)):
        mask = np.zeros((4, 6), np.uint8)
        mask[number] = value
        (tmp_path / "ground_truth/logical_anomalies/7").mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(tmp_path / f"ground_truth/logical_anomalies/7/00{number}.png")
    assert marked_rows(read_layout(tmp_path)[1]) == [6, 6, 0, 0]
    picture(tmp_path / "ground_truth/logical_anomalies/7/002.png")
    Image.fromarray(np.zeros((5, 6), np.uint8)).save(tmp_path / "ground_truth/logical_anomalies/7/003.png")
    with pytest.raises(DataError, match="mask is 6 × 5 but the image 6 × 4"):
        read_layout(tmp_path)[1].mask((4, 6))


@pytest.mark.parametrize("good", ["ok", "Normal", "i.O."])
def test_good_parts_of_other_names_and_what_was_not_read(tmp_path, good):
    for name in (
        f"val/{good}/0.png",
        f"test/{good}/0.png",
        "test/dent/0.png",
        "ground_truth/dent/9.png",
        "x.png",
    ):
        picture(tmp_path / name)
    images, problems = read_folders(tmp_path)
    assert [(i.defect_type, i.label) for i in images if not i.is_defect] == [("good", good)]
    assert len(images) == 2
    assert problems == [
        "1 without a folder for a label: x.png.",
        "No image belongs to 1 mask (ground_truth/dent/9.png), or several do. Name a mask as its image, or as its "
        "image and _mask, in a folder called as the image's folder.",
    ]


def test_the_folder_of_the_test_is_read_where_the_one_above_is_named_masks(tmp_path, monkeypatch):
    picture(tmp_path / "masks/test/good/0.png")
    picture(tmp_path / "masks/test/dent/0.png")
    marks(tmp_path / "masks/ground_truth/dent/0.png", 1)
    monkeypatch.chdir(tmp_path / "masks/test")
    images = read_layout(Path())
    assert [image.name for image in images] == ["dent/0.png", "good/0.png"]
    assert marked_rows(images[0]) == [6, 0, 0, 0]


@pytest.mark.parametrize("link", ["test", "test/dent", "ground_truth", "ground_truth/dent"])
def test_linked_folders_are_followed(tmp_path, link):
    for name in ("test/good/0.png", "test/dent/0.png"):
        picture(tmp_path / "set" / name)
    marks(tmp_path / "set/ground_truth/dent/0.png", 1)
    (tmp_path / "set" / link).rename(tmp_path / "elsewhere")
    (tmp_path / "set" / link).symlink_to(tmp_path / "elsewhere")
    defect, good = read_layout(tmp_path / "set")
    assert (defect.name, good.name) == ("test/dent/0.png", "test/good/0.png")
    assert marked_rows(defect) == [6, 0, 0, 0]
