import numpy as np

from workbench.storage.pictures import original_size
from workbench.viewer.detail import why_pair


def test_the_pair_shows_each_place_inside_its_surroundings():
    pixels = np.zeros((200, 300, 3), np.uint8)
    why = why_pair(pixels, (280, 0, 300, 20), pixels, (100, 100, 140, 140), name="good.png", distance=2.0)
    # 2.5 times the box and at least 32 pixels, moved to stay inside the image
    assert original_size(why.test) == (50, 50)
    assert why.test_box == (30.0, 0.0, 50.0, 20.0)
    assert original_size(why.neighbour) == (100, 100)
    assert why.neighbour_box == (30.0, 30.0, 70.0, 70.0)
