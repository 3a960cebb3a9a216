import pytest
import torch

from pretraining.dice import Dice
from pretraining.fields import coordinates
from pretraining.materials import MATERIALS, Place, surface


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.__name__)
def test_every_material_paints_a_finite_field(material):
    x, y = coordinates(2, 24)
    field = material(Dice(1))(Place(x, y, Dice(2)))
    assert field.shape == (2, 24, 24)
    assert bool(field.isfinite().all())
    assert float(field.abs().max()) < 12


def test_a_surface_is_the_same_class_with_other_instances():
    x, y = coordinates(2, 24)
    kind = surface(Dice(5))
    colours = kind.paint(Place(x, y, Dice(6)))
    again = surface(Dice(5)).paint(Place(x, y, Dice(6)))
    assert colours.shape == (2, 3, 24, 24)
    assert torch.equal(colours, again)
