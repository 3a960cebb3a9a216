import pytest
import torch

from pretraining.dice import Dice
from pretraining.fields import coordinates
from pretraining.materials import Place
from pretraining.worn import WEAR_SHARES, WEARS, worn


def _place(count: int = 3, size: int = 32, seed: int = 2) -> Place:
    return Place(*coordinates(count, size), Dice(seed))


@pytest.mark.parametrize("wear", WEARS, ids=lambda wear: wear.__name__)
def test_every_wear_is_a_factor_that_differs_between_pieces(wear):
    factors = wear(Dice(1))(_place())
    assert factors.shape == (3, 32, 32)
    assert bool(factors.isfinite().all())
    assert float(factors.min()) > -0.2
    assert not torch.equal(factors[0], factors[1])


def test_every_wear_has_a_share():
    assert len(WEARS) == len(WEAR_SHARES)


def test_a_class_of_worn_surfaces_paints_the_same_again():
    colours, again = (worn(Dice(5)).paint(_place()) for _ in range(2))
    assert colours.shape == (3, 3, 32, 32)
    assert torch.equal(colours, again)
    assert bool(colours.isfinite().all())
