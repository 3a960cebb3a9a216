import torch

from patchcore.small_resnet import image_net_normalised
from pretraining.baselines import FilterBank, calibrated, random_network
from pretraining.dice import Dice

PICTURES = Dice(0).even(4, 3, 64, 64)


def test_random_networks_are_seeded_and_calibrated():
    first, again, other = (random_network("resnet18", seed, PICTURES) for seed in (0, 0, 1))
    images = image_net_normalised(PICTURES)
    with torch.no_grad():
        maps = [network(images)["layer2"] for network in (first, again, other)]
    assert maps[0].shape == (4, 128, 8, 8)
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])
    assert 0.2 < float(maps[0].std()) < 5  # without calibration the answers grow or vanish with the depth


def test_filters_do_not_answer_to_an_even_ground():
    maps = FilterBank()(torch.full((1, 3, 64, 64), 0.7))["layer2"]
    assert maps.shape == (1, 33, 8, 8)
    assert float(maps[:, :24].abs().max()) < 1e-3


def test_a_grating_answers_most_in_its_own_direction():
    x = torch.arange(64.0)
    grating = torch.sin(2 * torch.pi * 0.15 * x).expand(1, 3, 64, 64)
    energies = FilterBank()(grating)["layer2"][0, 6:12, 4, 4]  # the six directions at 0.15 cycles a pixel
    assert int(energies.argmax()) == 0


def test_calibrated_answers_have_unit_deviation():
    maps = calibrated(FilterBank(), PICTURES)(image_net_normalised(PICTURES))["layer2"]
    assert torch.allclose(maps.std((0, 2, 3)), torch.ones(33), atol=1e-2)
