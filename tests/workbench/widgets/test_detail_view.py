import numpy as np
import pytest

from workbench.widgets.detail_view import crop_box, patch_crop


@pytest.mark.parametrize(
    ("zoom", "across", "down", "box"),
    [
        (1.0, 0.9, 0.1, (0, 0, 200, 100)),
        (2.0, 0.5, 0.5, (50, 25, 150, 75)),
        (4.0, 0.0, 1.0, (0, 75, 50, 100)),
        (4.0, 2.0, -1.0, (150, 0, 200, 25)),
    ],
)
def test_the_part_shown_stays_inside_the_image(zoom, across, down, box):
    assert crop_box((100, 200), zoom, across, down) == box


@pytest.mark.parametrize("box", [(0, 0, 8, 8), (92, 40, 100, 48), (0, 0, 100, 60)])
def test_a_patch_is_shown_square_with_its_surroundings(box):
    picture = patch_crop(np.full((60, 100, 3), 90, np.uint8), box)
    assert picture.shape == (256, 256, 3)
    assert (picture == 255).all(axis=2).any()  # its frame
