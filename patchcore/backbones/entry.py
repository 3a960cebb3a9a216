"""One entry of the registry: a network, its layers and normalisation, its licence, and its weight file."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from patchcore.backbones.weight_sources import AddressedWeights, WeightSource


@dataclass(frozen=True)
class Normalisation:
    """The normalisation of RGB in 0..1 to a network's input: ``(image - mean) / deviation``, for each channel."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise RGB images [N, 3, H, W]."""
        mean, deviation = (
            torch.tensor(values, device=images.device, dtype=images.dtype)[:, None, None]
            for values in (self.mean, self.deviation)
        )
        return (images - mean) / deviation


def unchanged(network: nn.Module) -> nn.Module:
    """Return the network unchanged."""
    return network


@dataclass(frozen=True)
class BackboneSpec:
    """One entry of the registry.

    Attributes
    ----------
    name, label
        The name that the user types; the text that the interface shows.
    summary
        One line for the user: its use and its cost.
    licence
        Licence of the weights.
    build
        Makes a network without weights: from some of `known_layers`, a module that maps normalised images
        [N, 3, S, S] to {layer: [N, C, H, W]} and runs nothing beyond the deepest of them.
    known_layers
        Every layer that may be requested, shallow first.
    layers
        The default layers (paper §3.1, index j).
    dims
        Length of a patch feature after the reference's two reductions; None keeps plain concatenation.
    normalisation
        Of the network's input.
    weights
        The weight file, and its source.
    file_key
        Name, in the weight file, of a tensor of the network.
    prepared
        Rewrites the network once its weights are loaded, for speed, with equal output up to rounding.
    """

    name: str
    label: str
    summary: str
    licence: str
    build: Callable[[tuple[str, ...]], nn.Module]
    known_layers: tuple[str, ...]
    layers: tuple[str, ...]
    dims: int | None
    normalisation: Normalisation
    weights: WeightSource
    file_key: Callable[[str], str]
    prepared: Callable[[nn.Module], nn.Module] = unchanged

    @property
    def downloadable(self) -> bool:
        """Whether the program can download the weights."""
        return isinstance(self.weights, AddressedWeights)
