import numpy as np

from pretraining.dice import Dice
from pretraining.photographs import FREE_PHOTOGRAPHS, photographs, place, window


def test_every_photograph_is_there_and_has_its_rights_written_down():
    pictures = photographs()
    assert len(pictures) == len(FREE_PHOTOGRAPHS)
    for picture, rights in zip(pictures, FREE_PHOTOGRAPHS.values(), strict=True):
        assert picture.shape[0] == 3
        assert float(picture.min()) >= 0 and float(picture.max()) <= 1
        assert any(word in rights for word in ("CC0", "public domain", "no known copyright restrictions"))


def test_views_of_a_place_resemble_each_other():
    views = window(Dice(0), photographs()[1], 128, 3, 32)
    assert views.shape == (3, 3, 32, 32)
    assert np.corrcoef(views[0].flatten(), views[1].flatten())[0, 1] > 0.5


def test_a_place_has_something_to_see():
    assert float(place(Dice(1), photographs()[:3], 2, 32).std()) > 0.02
