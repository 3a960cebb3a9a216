"""Features against a naive unfold-and-pool implementation of the reference."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional

from patchcore.backbones import DEFAULT, Backbone, load_backbone, spec
from patchcore.features import embed, patch_features
from patchcore.kernels.pooling import pooling_kernels, pooling_matrix


def seeded_backbone(name, layers=("layer2", "layer3")):
    torch.manual_seed(0)
    entry = spec(name)
    network = entry.build(layers).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # so that maps have a sensible size
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
    return Backbone(entry, network, layers, torch.device("cpu"), "")


def unfolded(feature_map):
    """[1, C, H, W] -> [H, W, C, 3, 3], zero padded, as the reference's PatchMaker."""
    _, channels, height, width = feature_map.shape
    patches = functional.unfold(feature_map, 3, padding=1)
    return patches.reshape(channels, 3, 3, height, width).permute(3, 4, 0, 1, 2)


def naive_features(maps, dims):
    """The reference: unfold, resize each of the nine taps, pool over (channel, row, column), stack, pool again."""
    height, width = maps[0].shape[-2:]
    pooled = []
    for feature_map in maps:
        patches = unfolded(feature_map)
        taps = patches.flatten(2).permute(2, 0, 1).unsqueeze(1)
        if taps.shape[-2:] != (height, width):
            taps = functional.interpolate(taps, size=(height, width), mode="bilinear", align_corners=False)
        flat = taps.squeeze(1).permute(1, 2, 0).reshape(height * width, 1, -1)
        pooled.append(functional.adaptive_avg_pool1d(flat, dims).squeeze(1))
    stacked = torch.stack(pooled, dim=1).reshape(height * width, 1, -1)
    return functional.adaptive_avg_pool1d(stacked, dims).reshape(height, width, dims).numpy()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", ["wide_resnet50_2", "resnet18", DEFAULT])
def test_features_on_a_gpu_equal_the_processors_and_repeat_exactly(name):
    backbone = load_backbone(name, device="cpu") if name == DEFAULT else seeded_backbone(name)
    gpu = torch.device("cuda")
    twin = replace(backbone, network=deepcopy(backbone.network).to(gpu), device=gpu)
    image = np.random.default_rng(3).random((224, 224, 3), np.float32)
    here, there = patch_features(backbone, image), patch_features(twin, image)
    assert np.linalg.norm(there - here) <= 1e-5 * np.linalg.norm(here)
    assert_allclose(there, here, rtol=1e-4, atol=1e-4 * np.abs(here).max())
    assert_array_equal(patch_features(twin, image), there)


@torch.inference_mode()
def test_wide_resnet_features_at_224_px_equal_the_naive_implementation():
    backbone = seeded_backbone("wide_resnet50_2")
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    naive = naive_features(backbone.maps(image), 1024)
    fast = embed(backbone, image)[0].numpy()
    assert fast.shape == (28, 28, 1024)
    assert_allclose(fast, naive, rtol=1e-4, atol=1e-4 * np.abs(naive).max())
    assert np.linalg.norm(fast - naive) <= 1e-5 * np.linalg.norm(naive)


@pytest.mark.parametrize(
    ("name", "layers", "dims"),
    [
        ("resnet18", ("layer2", "layer3"), 384),
        ("resnet18", ("layer1", "layer2", "layer3"), 100),  # bins that straddle depths
        ("resnet18", ("layer3",), 64),
        ("resnet18", ("layer1",), 700),  # more bins than channels x 9
    ],
)
@torch.inference_mode()
def test_any_layers_and_dims_equal_the_naive_implementation(name, layers, dims):
    backbone = seeded_backbone(name, layers)
    image = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    naive = naive_features(backbone.maps(image), dims)
    assert_allclose(
        embed(backbone, image, dims)[0].numpy(), naive, rtol=1e-4, atol=1e-5 * np.abs(naive).max()
    )


def test_kernels_of_the_paper_are_the_ones_derived_by_hand():
    (index2, layer2), (index3, layer3) = pooling_kernels((512, 1024), 1024)
    centre_doubled = np.full((3, 3), 0.1)
    centre_doubled[1, 1] = 0.2
    assert_allclose(layer2[:512, 0], np.broadcast_to(centre_doubled, (512, 3, 3)), rtol=1e-6)
    assert_allclose(index2[:512, 0], np.arange(512))
    assert not layer2[512:].any()
    assert not layer3[:512].any()
    assert_allclose(layer3[512:], np.full((512, 2, 3, 3), 1 / 18), rtol=1e-6)
    assert_allclose(index3[512:], np.arange(1024).reshape(512, 2))


@pytest.mark.parametrize(("length", "bins"), [(9, 4), (10, 3), (5, 8), (16, 16)])
def test_pooling_matrix_is_adaptive_average_pooling(length, bins):
    identity = torch.eye(length).unsqueeze(1)
    expected = functional.adaptive_avg_pool1d(identity, bins).squeeze(1).T
    assert_allclose(pooling_matrix(length, bins).toarray(), expected, rtol=1e-6)


@pytest.mark.parametrize("side", [64, 77, 224])
@torch.inference_mode()
def test_the_default_concatenates_three_by_three_means_unscaled(side):
    backbone = load_backbone(DEFAULT, device="cpu")
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(3))
    first, *deeper = (functional.avg_pool2d(m, 3, 1, 1) for m in backbone.maps(image))
    resized = [first, *(functional.interpolate(m, first.shape[-2:], mode="bilinear") for m in deeper)]
    naive = torch.cat(resized, 1)[0].permute(1, 2, 0).numpy()
    assert naive.shape[2] == 168
    assert_allclose(patch_features(backbone, image[0].permute(1, 2, 0).numpy()), naive, rtol=1e-4, atol=1e-6)
