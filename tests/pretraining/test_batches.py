import pytest
import torch

from pretraining.batches import crops, inspections, learning_rate
from pretraining.dice import Dice
from pretraining.products import Pool

POOL = Pool(
    (Dice(0).even(3, 6, 3, 40, 40) * 255).byte(), torch.tensor([True, False, True])
)  # three products, six views each


def test_crops_come_with_the_products_they_are_of():
    pictures, labels = crops(Dice(1), POOL, 5, 24)
    assert pictures.shape == (5, 3, 24, 24)
    assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1
    assert set(labels.tolist()) <= {0, 1, 2}


def test_a_crop_of_a_plain_product_has_its_colour():
    plain = Pool(torch.full((1, 1, 3, 40, 40), 128, dtype=torch.uint8), torch.tensor([True]))
    pictures, _ = crops(Dice(2), plain, 8, 16)
    assert 0.3 < float(pictures.mean()) < 0.7


def test_no_crops_are_an_empty_batch():
    pictures, labels = crops(Dice(1), POOL, 0, 24)
    assert pictures.shape == (0, 3, 24, 24)
    assert len(labels) == 0


def test_inspections_hold_good_pictures_and_spoilt_copies_of_the_first():
    drawn = inspections(Dice(1), POOL, 2, 24, good=3, defective=2)
    assert drawn.pictures.shape == (2, 5, 3, 24, 24)
    assert drawn.change.shape == (2, 2, 24, 24)
    untouched = drawn.change[:, 0] == 0
    away = (drawn.pictures[:, 3] - drawn.pictures[:, 0]).abs().mean(1)
    assert float(away[untouched].mean()) < 0.5 * float(away[drawn.change[:, 0] > 0.1].mean())


def test_the_same_seed_draws_the_same_inspection():
    first, again = (inspections(Dice(5), POOL, 1, 24, 3, 2) for _ in range(2))
    assert torch.equal(first.pictures, again.pictures)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.1), (9, 1.0), (50, 1.0), (75, 1.0), (90, 0.4), (100, 0.0)])
def test_the_rate_rises_stays_and_falls(step, rate):
    assert learning_rate(step, 100, 1.0, 10, 0.75) == pytest.approx(rate)
