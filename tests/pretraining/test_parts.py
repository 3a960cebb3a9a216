import pytest
import torch

from pretraining.dice import Dice
from pretraining.fields import coordinates
from pretraining.materials import Place
from pretraining.parts import OUTLINES, disc, glyphs, part


@pytest.mark.parametrize("outline", OUTLINES, ids=lambda outline: outline.__name__)
def test_every_outline_is_negative_somewhere_and_positive_at_the_corner(outline):
    x, y = coordinates(1, 48)
    distance = outline(Dice(1))(x * 1.6, y * 1.6, Dice(2))
    assert float(distance.min()) < 0
    assert float(distance[0, 0, 0]) > 0


def test_a_disc_measures_the_distance_to_its_rim():
    x, y = torch.tensor([[[0.0, 3.0]]]), torch.tensor([[[0.0, 4.0]]])
    assert disc(Dice(0))(x, y, Dice(0)).tolist() == [[[-1.0, 4.0]]]


def test_marks_are_thin():
    x, y = coordinates(1, 64)
    share = float((glyphs(Dice(3))(x, y, Dice(0)) < 0).float().mean())
    assert 0 < share < 0.4


@pytest.mark.parametrize("seed", range(6))
def test_parts_paint_finite_colours(seed):
    x, y = coordinates(2, 24)
    colours = part(Dice(seed)).paint(Place(x, y, Dice(seed, 1)))
    assert colours.shape == (2, 3, 24, 24)
    assert bool(colours.isfinite().all())
