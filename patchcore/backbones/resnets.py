"""Torchvision's ResNets, the paper's WideResNet-50-2 among them, cut after a layer; and their registry entries."""

from functools import partial
from typing import Protocol

from torch import Tensor, nn

from patchcore.backbones.entry import BackboneSpec, Normalisation
from patchcore.backbones.weight_sources import AddressedWeights

LAYERS = ("layer1", "layer2", "layer3", "layer4")
IMAGE_NET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PREFIX = "stages."


class _ImageNetWeights(Protocol):
    url: str


class Trunk(nn.Module):
    """A torchvision ResNet cut after the deepest requested layer.

    Parameters
    ----------
    network
        A network whose children run one after the other up to that layer, as every ResNet's do.
    layers
        Names of children whose outputs are returned.
    """

    def __init__(self, network: nn.Module, layers: tuple[str, ...]) -> None:
        super().__init__()
        known = [name for name, _ in network.named_children()]
        deepest = max(known.index(layer) for layer in layers)
        self.layers = layers
        self.stages = nn.ModuleDict({name: network.get_submodule(name) for name in known[: deepest + 1]})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the named maps: normalised [N, 3, H, W] -> {layer: [N, C, H', W']}."""
        maps = {}
        for name, stage in self.stages.items():
            x = stage(x)
            if name in self.layers:
                maps[name] = x
        return maps


def _trunk(name: str, layers: tuple[str, ...]) -> Trunk:
    from torchvision import models

    return Trunk(models.get_model(name, weights=None), layers)


def torchvision_resnet(
    name: str, label: str, weights: str, dims: int | None, megabytes: float, summary: str
) -> BackboneSpec:
    """Make the entry of a torchvision ResNet.

    Parameters
    ----------
    name
        Name of the model in torchvision and here.
    label, dims, summary
        As in :class:`~patchcore.backbones.entry.BackboneSpec`.
    weights
        Torchvision's name of the weights.
    megabytes
        Size of their file.
    """
    from torchvision import models

    entry: _ImageNetWeights = models.get_weight(weights)
    file = entry.url.rsplit("/", 1)[-1]
    return BackboneSpec(
        name=name,
        label=label,
        summary=summary,
        licence="BSD-3-Clause (torchvision), trained on ImageNet",
        build=partial(_trunk, name),
        known_layers=LAYERS,
        layers=("layer2", "layer3"),
        dims=dims,
        normalisation=IMAGE_NET,
        weights=AddressedWeights(file, file.removesuffix(".pth").rsplit("-", 1)[-1], megabytes, entry.url),
        file_key=lambda key: key.removeprefix(PREFIX),
    )
