import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from skimage.filters import gabor_kernel
from torch import Size

from patchcore.texture_filters import BANDWIDTH, OUTPUTS, TextureFilters, gabor_pairs, spot_kernel

ENERGIES, MOMENTS, COLOURS = slice(0, 24), slice(24, 30), slice(33, 39)


def answers(images, patches=8, central=False):
    return TextureFilters(central).to(images.dtype)(images, Size((patches, patches)))[0]


def test_kernels_are_those_of_scikit_image_less_their_mean():
    pairs = gabor_pairs((0.3,), 19)[:, 0].numpy()
    for turn in range(6):
        full = gabor_kernel(0.3, np.pi * turn / 6, bandwidth=BANDWIDTH)
        side = min(19, *full.shape)
        for kernel, reference in zip(pairs[2 * turn : 2 * turn + 2], (full.real, full.imag), strict=True):
            top, left = ((n - side) // 2 for n in reference.shape)
            inner = kernel[(19 - side) // 2 :, (19 - side) // 2 :][:side, :side]
            expected = reference[top : top + side, left : left + side]
            assert_allclose(inner - inner.mean(), expected - expected.mean(), atol=1e-4)


def test_an_even_ground_has_no_energy_no_spread_and_no_contrast():
    found = answers(torch.full((1, 3, 64, 64), 0.7))
    assert found.shape == (OUTPUTS, 8, 8)
    assert float(found[ENERGIES].abs().max()) < 1e-3
    assert float(found[COLOURS].abs().max()) < 1e-5
    assert_allclose(found[24].numpy(), np.full((8, 8), 0.7), rtol=1e-5)
    assert_allclose(found[30:33].numpy(), np.full((3, 8, 8), 0.7), rtol=1e-5)


@pytest.mark.parametrize(("frequency", "first"), [(0.25, 0), (0.4, 6), (0.08, 12), (0.15, 18)])
def test_a_grating_answers_most_at_its_own_frequency_and_direction(frequency, first):
    grating = torch.sin(2 * torch.pi * frequency * torch.arange(96.0)).expand(1, 3, 96, 96)
    energies = answers(grating, 12)[ENERGIES, 6, 6]
    assert int(energies[first : first + 6].argmax()) == 0
    turned = answers(grating.transpose(2, 3), 12)[ENERGIES, 6, 6]
    assert int(turned[first : first + 6].argmax()) == 3


@pytest.mark.parametrize("central", [False, True])
def test_moments_are_those_of_the_patch(central):
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)).expand(1, 3, 64, 64)
    found = answers(image, central=central)[MOMENTS].numpy()
    patch = image[0, 0, 24:32, 16:24].double().numpy()
    around = image[0, 0, 16:40, 8:32].double().numpy()
    for values, block in ((found[:3, 3, 2], patch), (found[3:, 3, 2], around)):
        centred = block - block.mean()
        skew = (centred**3).mean() / block.std() ** 2
        assert_allclose(values, [block.mean(), block.std(), skew], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [64, 60])
def test_moments_about_the_middle_are_those_of_sums_of_powers(size):
    image = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    plain, central = (TextureFilters(kind).double()(image.double(), Size((8, 8))) for kind in (False, True))
    assert_allclose(central.numpy(), plain.numpy(), rtol=1e-9, atol=1e-9)


def test_moments_about_the_middle_keep_their_digits_on_a_saturated_ground():
    image = torch.full((1, 3, 64, 64), 2.4)
    image[:, :, 28:] = -2.1
    image[:, :, 10, 10] = 2.38
    exact = answers(image.double(), central=True)[MOMENTS]
    off = {
        central: (answers(image, central=central)[MOMENTS] - exact).abs().max() for central in (False, True)
    }
    assert float(off[True]) < 1e-5
    assert float(off[False]) > 0.1


def test_a_coloured_spot_has_contrast_and_a_grey_one_has_none():
    grey, red = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    grey[:, :, 30:34, 30:34] = 1
    red[:, 0, 30:34, 30:34] = 1
    assert float(answers(grey)[COLOURS].abs().max()) < 1e-6
    assert float(answers(red)[COLOURS][:2].max()) > 0.01


def test_the_spot_kernel_adds_up_to_nothing():
    kernel = spot_kernel()[0, 0]
    assert abs(float(kernel.sum())) < 1e-6
    assert float(kernel.abs().sum()) == pytest.approx(1)
    assert int(kernel.argmax()) == kernel.numel() // 2


def test_gains_multiply_their_answers():
    filters = TextureFilters()
    image = torch.rand(1, 3, 64, 64)
    plain = filters(image, Size((8, 8)))
    filters.gains[5] = 3.0
    doubled = filters(image, Size((8, 8)))
    assert torch.allclose(doubled[:, 5], 3 * plain[:, 5])
    assert torch.equal(doubled[:, :5], plain[:, :5])


@pytest.mark.parametrize("side", [32, 50, 100])
def test_sizes_that_are_not_whole_patches_give_the_network_s_grid(side):
    patches = -(-side // 8)
    found = TextureFilters()(torch.rand(2, 3, side, side), Size((patches, patches)))
    assert found.shape == (2, OUTPUTS, patches, patches)
    assert bool(torch.isfinite(found).all())
