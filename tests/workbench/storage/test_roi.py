"""The region of interest: shapes drawn on an image on one side, a mask on the other."""

import numpy as np
import pytest

from patchcore.errors import SettingsError
from workbench.storage.roi import MASK_SIDE, Roi, keep_region, kept_region
from workbench.viewer import Shape

RECTANGLE = Shape("rectangle", ((2.0, 0.0), (6.0, 2.0)))
BRUSH = Shape("brush", ((1.5, 3.5), (6.5, 3.5)), cut=True, radius=1.0)


def test_a_rectangle_covers_the_pixels_whose_centres_it_holds():
    mask = Roi((RECTANGLE,), 4, 8).mask()
    expected = np.zeros((4, 8), bool)
    expected[:2, 2:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_the_eraser_takes_away():
    mask = Roi((Shape("rectangle", ((0.0, 0.0), (8.0, 6.0))), BRUSH), 6, 8).mask()
    assert not mask[3, 1:7].any() and mask[0].all() and mask[5].all()


def test_the_mask_of_a_large_image_is_smaller_and_of_its_proportions():
    drawn = Roi((Shape("brush", ((3000.0, 2000.0),), radius=1000.0),), 4000, 6000)
    mask = drawn.mask()
    assert mask.shape == (round(MASK_SIDE * 4 / 6), MASK_SIDE)
    assert mask.mean() == pytest.approx(np.pi * 1000**2 / (4000 * 6000), rel=0.01)  # still a circle


def test_a_region_survives_the_database():
    roi = Roi((RECTANGLE, BRUSH), 40, 80)
    assert Roi.from_dict(roi.to_dict()) == roi


@pytest.mark.parametrize(
    ("shapes", "height"), [((), 10), ((Shape("mask"),), 10), ((RECTANGLE,), 0)], ids=["none", "mask", "size"]
)
def test_an_impossible_region_is_refused(shapes, height):
    with pytest.raises(SettingsError):
        Roi(shapes, height, 10)


def test_the_last_drawing_on_an_image_is_kept(workspace):
    roi = Roi((RECTANGLE,), 4, 8)
    assert kept_region(workspace, "a" * 64) is None
    keep_region(workspace, "a" * 64, roi)
    assert kept_region(workspace, "a" * 64) == roi
    keep_region(workspace, "a" * 64, None)
    assert kept_region(workspace, "a" * 64) is None
