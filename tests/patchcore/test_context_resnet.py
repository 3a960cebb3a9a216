import pytest
import torch
from torch.nn import functional

from patchcore.context_resnet import ContextMap, context_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.texture_filters import OUTPUTS


def test_a_fresh_map_changes_nothing():
    torch.manual_seed(0)
    network = context_resnet(8)
    with torch.no_grad():
        maps = network(image_net_normalised(torch.rand(2, 3, 64, 64)))
    assert torch.allclose(maps["context"][:, :16], maps["layer2"], atol=1e-6)
    assert torch.allclose(maps["context"][:, 48:], maps["filters"], atol=1e-6)
    assert maps["context"].shape == (2, 48 + OUTPUTS, 8, 8)


def test_the_map_is_a_matrix_a_hidden_layer_and_what_the_surroundings_add():
    torch.manual_seed(0)
    layer, x = ContextMap(5), torch.rand(1, 5, 11, 11)
    with torch.no_grad():
        layer.outer.weight.normal_()
        layer.wide.weight.normal_()
        mapped = layer(x)[0, :, 5, 5]
        near = functional.conv2d(
            layer.narrow(x).clamp_min(0), layer.around.weight, layer.around.bias, padding=1
        ).clamp_min(0)
        far = layer.beyond.bias.clone()  # of the middle patch: nine patches, two steps apart
        for i in range(3):
            for j in range(3):
                far += layer.beyond.weight[:, :, i, j] @ near[0, :, 3 + 2 * i, 3 + 2 * j]
        row = x[0, :, 5, 5]
        hidden = (layer.inner.weight[:, :, 0, 0] @ row + layer.inner.bias).clamp_min(0)
        expected = row + layer.outer.weight[:, :, 0, 0] @ hidden
        expected += layer.wide.weight[:, :, 0, 0] @ (near[0, :, 5, 5] + far.clamp_min(0))
    assert torch.allclose(mapped, expected, rtol=1e-4, atol=1e-4)


def test_a_patch_sees_three_patches_around_it_and_no_further():
    torch.manual_seed(0)
    layer, x = ContextMap(4), torch.rand(1, 4, 15, 15)
    with torch.no_grad():
        layer.wide.weight.normal_()
        touched = x.clone()
        touched[:, :, 7, 7] += 5
        moved = (layer(touched) - layer(x)).abs().amax((0, 1)) > 0
    rows, columns = moved.nonzero(as_tuple=True)
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (4, 10, 4, 10)


@pytest.mark.parametrize("side", [32, 100, 225])
def test_every_image_size_works(side):
    found = context_resnet(8)(image_net_normalised(torch.rand(1, 3, side, side)))
    assert found["context"].shape[-2:] == found["layer2"].shape[-2:]
