import numpy as np
import pytest

from patchcore.errors import DataError, NoImagesError
from workbench.storage.shapes import Shape
from workbench.viewer.roi import Drawing, RoiImage, roi_editor

IMAGE = RoiImage("test_viewer_roi", "good.png", lambda: np.zeros((6, 8, 3), np.uint8))


def test_a_drawing_without_shapes_limits_nothing():
    assert Drawing((), 6, 8).mask is None


def test_a_drawing_gives_its_mask_in_the_images_pixels():
    mask = Drawing((Shape("rectangle", ((0, 0), (8, 2))),), 6, 8).mask
    assert mask.shape == (6, 8)
    assert mask.sum() == 16


def test_without_images_there_is_nothing_to_draw_on():
    with pytest.raises(NoImagesError):
        roi_editor([], key="roi")


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(DataError, match=r"\(5, 8\)"):
        roi_editor([IMAGE], key="roi", initial=np.ones((5, 8), bool))
