import pytest
import torch

from pretraining.defects import FILL_SHARES, FILLS, outlines, spoil
from pretraining.dice import Dice


def test_the_shares_of_the_kinds_add_up():
    assert len(FILLS) == len(FILL_SHARES)
    assert abs(sum(FILL_SHARES) - 1) < 1e-9


@pytest.mark.parametrize("fill", FILLS, ids=lambda fill: fill.__name__)
def test_every_kind_of_defect_fills_with_finite_colours(fill):
    pictures, others = Dice(0).even(2, 3, 32, 32), Dice(1).even(2, 3, 32, 32)
    filled = fill(Dice(2), pictures, others, outlines(Dice(3), 2, 32))
    assert filled.shape == pictures.shape
    assert bool(filled.isfinite().all())


def test_change_says_where_the_picture_differs():
    pictures = torch.full((12, 3, 48, 48), 0.5)
    spoilt, change = spoil(Dice(7), pictures, torch.ones_like(pictures))
    assert torch.allclose(change, (spoilt - pictures).abs().mean(1))
    visible = (change > 0.03).flatten(1).any(1)
    assert int(visible.sum()) >= 8
    assert float((change > 0.03).float().mean()) < 0.5  # a defect is a part of the picture


def test_faint_marks_are_fainter():
    pictures = Dice(0).even(6, 3, 32, 32)
    _, strong = spoil(Dice(1), pictures, pictures.roll(1, 0))
    _, faint = spoil(Dice(1), pictures, pictures.roll(1, 0), 0.2)
    assert float(faint.sum()) < 0.3 * float(strong.sum())
