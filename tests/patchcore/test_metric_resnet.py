import pytest
import torch

from patchcore.metric_resnet import metric_resnet
from patchcore.small_resnet import image_net_normalised
from patchcore.texture_filters import OUTPUTS


def test_a_fresh_map_changes_nothing():
    torch.manual_seed(0)
    network = metric_resnet(8)
    with torch.no_grad():
        maps = network(image_net_normalised(torch.rand(2, 3, 64, 64)))
    assert torch.allclose(maps["metric"][:, :16], maps["layer2"], atol=1e-6)
    assert torch.allclose(maps["metric"][:, 48:], maps["filters"], atol=1e-6)
    assert maps["metric"].shape == (2, 48 + OUTPUTS, 8, 8)


def test_the_map_is_the_same_function_upon_each_patch():
    torch.manual_seed(0)
    plain, mapped = metric_resnet(8), metric_resnet(8)
    with torch.no_grad():
        mapped.metric.outer.weight.normal_()
        mapped.load_state_dict(
            plain.state_dict() | {f"metric.{k}": v for k, v in mapped.metric.state_dict().items()}
        )
        x = image_net_normalised(torch.rand(1, 3, 48, 48))
        before, after = plain(x)["metric"], mapped(x)["metric"]
        hidden, inner = mapped.metric, mapped.metric.inner
        row = before[0, :, 2, 3]
        expected = row + hidden.outer.weight[:, :, 0, 0] @ torch.relu(
            inner.weight[:, :, 0, 0] @ row + inner.bias
        )
    assert torch.allclose(after[0, :, 2, 3], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [32, 100, 225])
def test_every_image_size_works(side):
    found = metric_resnet(8)(image_net_normalised(torch.rand(1, 3, side, side)))
    assert found["metric"].shape[-2:] == found["layer2"].shape[-2:]
