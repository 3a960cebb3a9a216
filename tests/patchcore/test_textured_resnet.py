import pytest
import torch

from patchcore.backbones import load_backbone
from patchcore.features import embed
from patchcore.small_resnet import image_net_normalised
from patchcore.texture_filters import OUTPUTS
from patchcore.textured_resnet import textured_resnet


def test_its_depths_are_the_small_network_s_times_their_gains():
    textured, small = load_backbone("builtin_texture", device="cpu"), load_backbone("builtin", device="cpu")
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    first, second, filters = textured.maps(images)
    for gain, found, expected in zip(
        textured.network.gains, (first, second), small.maps(images), strict=True
    ):
        assert torch.allclose(found, expected * gain, rtol=1e-5)
    assert filters.shape == (2, OUTPUTS, 8, 8)


def test_a_patch_feature_holds_all_three_parts():
    backbone = load_backbone("builtin_texture", device="cpu")
    assert embed(backbone, torch.rand(1, 3, 64, 64)).shape == (1, 8, 8, 64 + 128 + OUTPUTS)


@pytest.mark.parametrize("side", [32, 100, 225])
def test_every_image_size_works(side):
    found = textured_resnet(8)(image_net_normalised(torch.rand(1, 3, side, side)))
    assert found["filters"].shape[-2:] == found["layer2"].shape[-2:]


def test_what_decides_the_scores_is_in_the_weight_file():
    backbone = load_backbone("builtin_texture", device="cpu")
    stored = set(backbone.network.state_dict())
    assert {
        "gains",
        "filters.gains",
        "filters.fine",
        "filters.coarse",
        "filters.spot",
        "filters.blur",
    } <= stored
