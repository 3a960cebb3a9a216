"""Reading labels and masks from folder names."""

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
