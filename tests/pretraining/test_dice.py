import torch

from pretraining.dice import Dice


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others():
    first, again, other = Dice(1, 2), Dice(1, 2), Dice(1, 3)
    assert first.uniform() == again.uniform()
    assert torch.equal(first.normal(5), again.normal(5))
    assert not torch.equal(first.normal(5), other.normal(5))


def test_scalars_do_not_move_the_tensors():
    first, again = Dice(4), Dice(4)
    first.integer(0, 9)
    assert torch.equal(first.even(3), again.even(3))


def test_scales_stay_within_their_ends():
    numbers = Dice(0).scales(1000, low=0.1, high=10.0)
    assert float(numbers.min()) >= 0.1 and float(numbers.max()) <= 10.0
    assert 0.8 < float(numbers.log().mean().exp()) < 1.25  # the middle of the logarithms is 1
