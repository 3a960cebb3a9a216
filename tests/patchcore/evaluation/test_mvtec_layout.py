"""Reading labels and masks from folder names."""

import unicodedata

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from patchcore.errors import DataError, NoImagesError
from patchcore.evaluation.mvtec_layout import marked, read_layout


def picture(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(path)


@pytest.fixture
def product(tmp_path):
    picture(tmp_path / "test/good/0.png")
    picture(tmp_path / "test/hole/0.png")
    picture(tmp_path / "test/hole/1.png")
    picture(tmp_path / "ground_truth/hole/0_mask.png", 255)
    return tmp_path


@pytest.mark.parametrize("given", ["", "test"])
def test_the_products_folder_or_its_test_folder(product, given):
    images = read_layout(product / given)
    assert [(i.path.name, i.defect_type, i.is_defect) for i in images] == [
        ("0.png", "good", False),
        ("0.png", "hole", True),
        ("1.png", "hole", True),
    ]
    assert [i.mask_path is not None for i in images] == [False, True, False]
    assert_array_equal(images[1].mask(), np.ones((4, 6), bool))
    assert images[2].mask() is None


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
    assert_array_equal(read_layout(product)[1].mask(), values == 1)
    values[1, 3:5] = 100, 200
    Image.fromarray(values).save(target)
    assert_array_equal(read_layout(product)[1].mask(), values == 200)
    assert marked(read_layout(product)[1].mask_values())[1]
    assert not marked(np.zeros((2, 2), np.float32))[1]


@pytest.mark.parametrize("name", ["größe", "Ångström", "Việt"])
def test_masks_are_found_in_another_form_of_unicode(tmp_path, name):
    apart, whole = (unicodedata.normalize(form, name) for form in ("NFD", "NFC"))
    picture(tmp_path / f"test/good/{whole}.png")
    for kind, image, mask in ((apart, whole, apart), (f"{whole} 2", apart, whole)):
        picture(tmp_path / f"test/{kind}/{image}.png")
        marks = unicodedata.normalize("NFC" if kind == apart else "NFD", kind)
        picture(tmp_path / f"ground_truth/{marks}/{mask}_mask.png", 255)
    assert [image.mask() is not None for image in read_layout(tmp_path) if image.is_defect] == [True, True]


def test_a_labelled_set_without_images_counts_its_files(tmp_path):
    for name in ("good/a.gif", "good/b.gif", "hole/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"GIF89a" if name.endswith("gif") else b"lot 7")
    with pytest.raises(NoImagesError, match="2 GIFs, 1 text file"):
        read_layout(tmp_path)
