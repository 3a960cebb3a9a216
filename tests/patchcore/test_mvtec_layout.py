"""Reading labels and masks from folder names."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from patchcore.errors import DataError, NoImagesError
from patchcore.mvtec_layout import read_layout


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


def test_what_cannot_be_read_as_a_labelled_set(tmp_path):
    with pytest.raises(NoImagesError, match="no folder"):
        read_layout(tmp_path / "absent")
    with pytest.raises(DataError, match="no subfolders"):
        read_layout(tmp_path)
    (tmp_path / "good").mkdir()
    with pytest.raises(NoImagesError, match="no images"):
        read_layout(tmp_path)


def test_a_mask_in_ones_counts_and_greys_are_refused(product):
    path = product / "ground_truth/hole/0_mask.png"
    Image.fromarray(np.eye(4, 6, dtype=np.uint8)).save(path)
    mask = read_layout(product)[1].mask
    assert_array_equal(mask(), np.eye(4, 6, dtype=bool))
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6)).save(path)
    with pytest.raises(DataError, match="besides black"):
        mask()
