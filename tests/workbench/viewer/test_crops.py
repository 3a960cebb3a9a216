import numpy as np

from workbench.storage.pictures import original_size
from workbench.viewer.crops import CROP_SIDE, ImageSource


def test_crops_are_the_originals_pixels_and_end_at_its_edge():
    pixels = np.zeros((CROP_SIDE + 100, CROP_SIDE + 30, 3), np.uint8)
    calls = []

    def load():
        calls.append(1)
        return pixels, None

    sources = ImageSource("test_crops", load)
    assert original_size(sources.crop(0, 0)) == (CROP_SIDE, CROP_SIDE)
    assert original_size(sources.crop(1, 1)) == (30, 100)
    assert len(calls) == 1
