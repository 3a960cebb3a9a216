"""A backbone with its weights, ready to run: built, loaded by hash, and put on a device."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from patchcore.backbones.engines import Engine, make_engine
from patchcore.backbones.entry import BackboneSpec
from patchcore.backbones.registry import missing_weights_sentence, spec
from patchcore.backbones.weight_files import check_hash, read_state
from patchcore.errors import SettingsError, WeightsMismatch, WeightsMissing
from patchcore.images.file_names import expanded
from patchcore.kernels.precision import full_precision


@dataclass(frozen=True)
class Backbone:
    """A network with its weights, ready to run.

    Attributes
    ----------
    spec
        The registry entry it came from.
    network
        Maps normalised images [N, 3, S, S] to {layer: [N, C, H, W]}; in evaluation mode.
    layers
        The depths in use, shallow first.
    device
        The device it runs on.
    sha256
        Hash of the weight file; an inspector remembers it and refuses others.
    engine
        The engine for network and local aggregation; None for torch itself. Inspectors do not store it.
    weights
        The file of the weights; None for the registered one.
    """

    spec: BackboneSpec
    network: nn.Module
    layers: tuple[str, ...]
    device: torch.device
    sha256: str
    engine: Engine | None = None
    weights: Path | None = None

    @property
    def loader(self) -> Callable[[], Backbone]:
        """A picklable call that loads the same network with the same weights in another process."""
        engine = "torch" if self.engine is None else "openvino"
        return partial(
            load_backbone, self.spec.name, self.weights, self.layers, str(self.device), self.sha256, engine
        )

    @torch.inference_mode()
    def maps(self, images: Tensor) -> list[Tensor]:
        """Feature maps of RGB images in 0..1: [N, 3, S, S] -> one [N, C, H, W] per layer, shallow first."""
        with full_precision(self.device):
            normalised = self.spec.normalisation(images)
            found = self.network(normalised.contiguous(memory_format=torch.channels_last))
        return [found[layer] for layer in self.layers]


def resolve_device(device: str) -> torch.device:
    """Turn 'auto' into the GPU when there is one, else the CPU.

    Raises
    ------
    SettingsError
        If a GPU is requested by name and the machine has none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError(
            "device='cuda' was asked for, but this machine has no usable GPU. Use 'auto' or 'cpu'."
        )
    return torch.device(device)


def load_backbone(
    name: str,
    weights: str | Path | None = None,
    layers: tuple[str, ...] | None = None,
    device: str = "auto",
    sha256: str | None = None,
    engine: str | None = None,
) -> Backbone:
    """Build a backbone and load its weights from this machine.

    Parameters
    ----------
    name
        A registered backbone.
    weights
        A state dict of the right shape (`.pth` or `.safetensors`); None for the registered file.
    layers
        Depths to return; None for the entry's own.
    device
        'auto', 'cpu' or 'cuda'.
    sha256
        If given, the weights must have exactly this hash (an inspector loads the weights that built it).
    engine
        'torch' or 'openvino'; None for the value of `PATCHCORE_ENGINE`, else 'torch'.

    Raises
    ------
    WeightsMissing
        At once, when the file is not on this machine.
    WeightsMismatch
        When the file does not have the expected hash, or its tensors do not fit the network.
    """
    entry = spec(name)
    chosen = tuple(layers or entry.layers)
    if unknown := [layer for layer in chosen if layer not in entry.known_layers]:
        raise SettingsError(
            f"{name} has no layer {', '.join(unknown)}. It has: {', '.join(entry.known_layers)}."
        )
    path, digest = _weight_file(entry, weights, sha256)
    target = resolve_device(device)
    network = _network(entry, chosen, path, digest, target)
    runner = make_engine(engine or os.environ.get("PATCHCORE_ENGINE", "torch"), target)
    return Backbone(entry, network, chosen, target, digest, runner, path)


@lru_cache(maxsize=1)
def _network(
    entry: BackboneSpec, layers: tuple[str, ...], path: Path, sha256: str, device: torch.device
) -> nn.Module:
    """Build a network and fill it from a file of that hash.

    Nothing changes a network once it is loaded, so inspectors that are opened one after the other share the last one:
    to read the weights again takes longer than to score an image, and each copy takes their memory.
    """
    network = entry.build(layers)
    _load_state(entry, network, path)
    network = entry.prepared(network.eval()).requires_grad_(False)
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _weight_file(entry: BackboneSpec, weights: str | Path | None, sha256: str | None) -> tuple[Path, str]:
    """Return the file to load and its SHA-256; the caller's own file is checked only against a stated hash."""
    if weights is None:
        found = entry.weights.find(entry.name, sha256 or entry.weights.sha256)
        if found is None:
            raise WeightsMissing(missing_weights_sentence(entry.name))
        return found
    path = expanded(weights)
    if not path.is_file():
        raise WeightsMissing(f"There is no weight file {path}.")
    return path, check_hash(path, sha256 or "")


def _load_state(entry: BackboneSpec, network: nn.Module, path: Path) -> None:
    """Fill the network from a file, which may hold further tensors."""
    state, wanted = read_state(path), network.state_dict()
    found = {key: state[entry.file_key(key)] for key in wanted if entry.file_key(key) in state}
    missing = sorted(
        entry.file_key(key) for key in wanted.keys() - found.keys() if not key.endswith("num_batches_tracked")
    )
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsMismatch(f"{path} does not fit {entry.name}: it lacks {missing[0]}{others}.")
    for key, value in found.items():
        if value.shape != wanted[key].shape:
            raise WeightsMismatch(
                f"{path} does not fit {entry.name}: {entry.file_key(key)} is {tuple(value.shape)}, "
                f"expected {tuple(wanted[key].shape)}."
            )
    network.load_state_dict({key: value.to(wanted[key].dtype) for key, value in found.items()}, strict=False)
