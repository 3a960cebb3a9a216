"""The region of interest: fractions of the image on one side, a mask on the other."""

import numpy as np
import pytest

from patchcore.errors import SettingsError
from workbench.roi import Roi


def test_a_rectangle_covers_the_pixels_whose_centres_it_holds():
    mask = Roi.rectangle(0.25, 0.0, 0.75, 0.5).mask(4, 8)
    expected = np.zeros((4, 8), bool)
    expected[:2, 2:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_polygons_add_up_at_any_resolution():
    roi = Roi((((0, 0), (1, 0), (0, 1)), ((1, 1), (0.5, 1), (1, 0.5))))
    for side in (100, 400):
        assert roi.mask(side, side).mean() == pytest.approx(0.5 + 0.125, abs=0.02)


def test_it_survives_the_database():
    roi = Roi((((0.1, 0.2), (0.9, 0.2), (0.5, 0.8)),))
    assert Roi.from_dict(roi.to_dict()) == roi


@pytest.mark.parametrize(
    "polygons",
    [(), (((0, 0), (1, 1)),), (((0, 0), (1.2, 0), (1, 1)),), (((0, 0), (float("nan"), 0), (1, 1)),)],
)
def test_what_is_no_region_is_refused(polygons):
    with pytest.raises(SettingsError):
        Roi(polygons)
