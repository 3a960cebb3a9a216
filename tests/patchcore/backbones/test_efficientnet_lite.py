"""EfficientNet-Lite2 against a plain implementation written from its table, and its classes of known photographs."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.transform import resize
from torch.nn import functional

from patchcore.backbones import DEFAULT, find_weights, load_backbone, spec
from patchcore.backbones.efficientnet_lite import LAYERS, EfficientNetLite, SameConv2d, file_key

STRIDED = (1, 4, 7, 15)  # first blocks of the stages that halve the map


@pytest.fixture(scope="module")
def state():
    return torch.load(find_weights(DEFAULT), weights_only=True)


def same(x, weight, stride, groups=1):
    """TensorFlow's "same": ceil(side / stride) outputs, and of an odd number of zeros one more at the end."""
    pads = []
    for side in (x.shape[-1], x.shape[-2]):
        total = max((-(-side // stride) - 1) * stride + weight.shape[-1] - side, 0)
        pads += [total // 2, total - total // 2]
    return functional.conv2d(functional.pad(x, pads), weight, stride=stride, groups=groups)


def normed(state, x, name):
    values = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(x, *values, eps=1e-3)


@torch.inference_mode()
def plain(state, images):
    """Outputs of all blocks, and the 1,000 classes, of RGB in 0..1 [N, 3, S, S]."""
    x = (images * 255 - 127) / 128
    x = functional.relu6(normed(state, same(x, state["_conv_stem.weight"], 2), "_bn0"))
    blocks = []
    for number in range(21):
        name, y = f"_blocks.{number}", x
        if f"{name}._expand_conv.weight" in state:
            y = functional.relu6(
                normed(state, same(y, state[f"{name}._expand_conv.weight"], 1), f"{name}._bn0")
            )
        depthwise = state[f"{name}._depthwise_conv.weight"]
        y = same(y, depthwise, 2 if number in STRIDED else 1, groups=len(depthwise))
        y = functional.relu6(normed(state, y, f"{name}._bn1"))
        y = normed(state, same(y, state[f"{name}._project_conv.weight"], 1), f"{name}._bn2")
        x = x + y if x.shape == y.shape else y
        blocks.append(x)
    head = functional.relu6(normed(state, same(x, state["_conv_head.weight"], 1), "_bn1"))
    return blocks, functional.linear(head.mean((2, 3)), state["_fc.weight"], state["_fc.bias"])


def photograph(name, side=260):
    pixels = getattr(data, name)()
    pixels = np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels
    small = resize(pixels / 255, (side, side), anti_aliasing=True)
    return torch.from_numpy(small).float().permute(2, 0, 1)[None]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("chelsea", [285, 282, 281]),  # Egyptian cat, tiger cat, tabby
        ("coffee", [967]),  # espresso
        ("camera", [872]),  # tripod
    ],
)
def test_photographs_get_their_true_classes(state, name, classes):
    _, logits = plain(state, photograph(name))
    assert logits[0].topk(len(classes)).indices.tolist() == classes


@pytest.mark.parametrize("side", [260, 224, 223, 96, 77, 32])
def test_every_layer_equals_the_plain_implementation(state, side):
    images = photograph("chelsea", side)
    expected, _ = plain(state, images)
    found = load_backbone(DEFAULT, layers=LAYERS, device="cpu", engine="torch").maps(images)
    assert len(found) == len(expected) == len(LAYERS)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert torch.linalg.norm(ours - theirs) <= 1e-5 * torch.linalg.norm(theirs)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (65, 96), (33, 47)])
def test_sides_are_padded_each_by_itself(height, width):
    convolution = SameConv2d(3, 6, 5, 2, groups=3, bias=False)
    x = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(height))
    with torch.inference_mode():
        expected = same(x, convolution.weight, 2, groups=3)
        assert torch.allclose(convolution(x), expected, rtol=1e-5, atol=1e-6)


def test_features_are_blocks_six_and_fourteen_and_nothing_runs_beyond_them():
    backbone = load_backbone(DEFAULT, device="cpu", engine="torch")
    assert [tuple(m.shape) for m in backbone.maps(torch.rand(1, 3, 224, 224))] == [
        (1, 48, 28, 28),
        (1, 120, 14, 14),
    ]
    assert len(backbone.network.blocks) == 15
    assert len(EfficientNetLite(("block3",)).blocks) == 4


def test_every_tensor_of_the_file_but_the_head_has_its_place(state):
    network = EfficientNetLite((LAYERS[-1],))
    head = {key for key in state if key.startswith(("_conv_head", "_bn1.", "_fc"))}
    assert {file_key(key) for key in network.state_dict()} == state.keys() - head


def test_entry_states_the_source_of_its_weights():
    entry = spec(DEFAULT)
    assert (entry.layers, entry.dims, entry.licence) == (("block6", "block14"), None, "Apache-2.0")
    white = entry.normalisation(torch.ones(1, 3, 2, 2))
    assert torch.allclose(white, torch.ones_like(white))
    assert torch.allclose(entry.normalisation(torch.zeros(1, 3, 2, 2)), torch.tensor(-127 / 128))
