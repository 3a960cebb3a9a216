import math

import torch

from pretraining.dice import Dice
from pretraining.fields import cells, coordinates, inside, noise, turned


def test_coordinates_are_pixel_centres_from_minus_one_to_one():
    x, y = coordinates(2, 4)
    assert x.shape == (2, 4, 4)
    assert x[0, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert y[1, :, 3].tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_noise_has_mean_zero_and_deviation_one():
    field = noise(Dice(0), 3, 32, 1.5, 4.0, 0.3)
    assert torch.allclose(field.mean((1, 2)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(field.flatten(1).std(1), torch.ones(3), atol=1e-3)


def test_a_steeper_spectrum_is_smoother():
    def roughness(slope: float) -> float:
        return float(noise(Dice(0), 4, 64, slope).diff(dim=-1).abs().mean())

    assert roughness(0.2) > roughness(1.2) > roughness(2.4)


def test_a_quarter_turn_swaps_the_axes():
    x, y = coordinates(1, 4)
    u, v = turned(x, y, math.pi / 2)
    assert torch.allclose(u, y, atol=1e-6)
    assert torch.allclose(v, -x, atol=1e-6)


def test_coverage_is_one_inside_half_on_the_line_none_outside():
    cover = inside(torch.tensor([[[-1.0, 0.0, 1.0] + [0.0] * 29] * 32]))
    assert torch.allclose(cover[0, 0, :3], torch.tensor([1.0, 0.5, 0.0]), atol=1e-4)


def test_cells_equal_a_naive_search():
    x, y = coordinates(1, 6)
    first, second = cells(Dice(3), x, y, 5)
    dice = Dice(3)
    px, py = dice.even(1, 5, low=-1.4, high=1.4), dice.even(1, 5, low=-1.4, high=1.4)
    distances = ((x[..., None] - px) ** 2 + (y[..., None] - py) ** 2).sqrt().sort(-1).values
    assert torch.allclose(first, distances[..., 0], atol=1e-5)
    assert torch.allclose(second, distances[..., 1], atol=1e-5)
