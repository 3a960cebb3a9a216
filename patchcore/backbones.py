"""The registry of backbones: how each is built, where its weights come from, and by which hash they are known.

Weights are looked for, in this order: the file given by the caller; `PATCHCORE_WEIGHTS` (a folder); torchvision's
own cache. Nothing is ever downloaded unless :func:`download_weights` is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from patchcore.builtin import BUILTIN
from patchcore.context_resnet import context_resnet, whole_resnet
from patchcore.engines import Engine, make_engine
from patchcore.errors import SettingsError, WeightsError, WeightsMismatch, WeightsMissing
from patchcore.metric_resnet import metric_resnet
from patchcore.precision import full_precision
from patchcore.small_resnet import image_net_normalised, small_resnet
from patchcore.textured_resnet import textured_resnet
from patchcore.weight_files import check_hash, fetch, read_state

PACKAGED_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class BackboneSpec:
    """One entry of the registry.

    Attributes
    ----------
    name
        What the user types.
    build
        Makes the network without weights.
    layers
        The depths that are used unless the caller names others (paper §3.1, index j).
    dims
        Length of a patch feature after the reference's two reductions; None keeps plain concatenation.
    unit_depths
        Whether each depth is scaled to unit length before concatenation.
    weights_file, sha256
        File name, and the SHA-256 or its first digits, by which the weights are known.
    url
        Where the file can be downloaded from when the user asks; None if it is in the repository.
    megabytes
        Size of the file.
    summary
        One line for the user: what it is good for and what it costs.
    """

    name: str
    build: Callable[[], nn.Module]
    layers: tuple[str, ...]
    dims: int | None
    unit_depths: bool
    weights_file: str
    sha256: str
    url: str | None
    megabytes: float
    summary: str

    @property
    def builtin(self) -> bool:
        """Whether the weights are part of the repository."""
        return self.url is None


class _ImageNetWeights(Protocol):
    url: str


def _torchvision(name: str, weights: str, dims: int | None, megabytes: float, summary: str) -> BackboneSpec:
    from torchvision import models

    entry: _ImageNetWeights = models.get_weight(weights)
    file = entry.url.rsplit("/", 1)[-1]
    return BackboneSpec(
        name=name,
        build=lambda: models.get_model(name, weights=None),
        layers=("layer2", "layer3"),
        dims=dims,
        unit_depths=False,
        weights_file=file,
        sha256=file.removesuffix(".pth").rsplit("-", 1)[-1],
        url=entry.url,
        megabytes=megabytes,
        summary=summary,
    )


BUILTIN_SHA256 = "a4fa10b1cb8f51476f08412e632446f2c67db0aaddd361bce0c1dd43f68b22b5"


CONTEXT_SHA256 = "652e9c8376fc95cd696b4db5d16791baa47e1d92300436cc2408ad07668acbb8"


METRIC_SHA256 = "be59eec0a592fc9be4a85455440f46dc85379c7351d30b167a09810cf6e7de3d"


TEXTURED_SHA256 = "27ffb6449c4b1ef65ecb52d9a71f34f6ce4acd6c3959b82b5f67855af80b738f"


WHOLE_SHA256 = "0e535fc4093c6c91a3f3f6304f8908e2c2775ca26c51ebcbca79ec9380d25d75"


def _packaged(
    name: str,
    build: Callable[[], nn.Module],
    layers: tuple[str, ...],
    unit_depths: bool,
    sha256: str,
    summary: str,
) -> BackboneSpec:
    file = f"{name}.safetensors"
    return BackboneSpec(
        name=name,
        build=build,
        layers=layers,
        dims=None,
        unit_depths=unit_depths,
        weights_file=file,
        sha256=sha256,
        url=None,
        megabytes=round((PACKAGED_WEIGHTS / file).stat().st_size / 1e6, 1),
        summary=summary,
    )


_BUILDERS: dict[str, Callable[[], BackboneSpec]] = {
    "builtin_whole": lambda: _packaged(
        "builtin_whole",
        whole_resnet,
        ("context",),
        unit_depths=False,
        sha256=WHOLE_SHA256,
        summary="in the repository, works offline, fast; less accurate than the ImageNet networks",
    ),
    "builtin_context": lambda: _packaged(
        "builtin_context",
        context_resnet,
        ("context",),
        unit_depths=False,
        sha256=CONTEXT_SHA256,
        summary="the fourth one: network and map trained one after the other; weaker on even grounds",
    ),
    "builtin_metric": lambda: _packaged(
        "builtin_metric",
        metric_resnet,
        ("metric",),
        unit_depths=False,
        sha256=METRIC_SHA256,
        summary="the third one: its map sees each patch alone; weaker on surfaces",
    ),
    "builtin_texture": lambda: _packaged(
        "builtin_texture",
        textured_resnet,
        ("layer2", "layer3", "filters"),
        unit_depths=False,
        sha256=TEXTURED_SHA256,
        summary="the second one, without the trained map; a little faster, weaker on surfaces",
    ),
    "builtin": lambda: _packaged(
        "builtin",
        small_resnet,
        ("layer2", "layer3"),
        unit_depths=True,
        sha256=BUILTIN_SHA256,
        summary="the first one, without texture filters; faster, weaker on surfaces",
    ),
    "wide_resnet50_2": lambda: _torchvision(
        "wide_resnet50_2",
        "Wide_ResNet50_2_Weights.IMAGENET1K_V1",
        1024,
        138.2,
        "the paper's; best accuracy, about five times slower than the built-in one",
    ),
    "resnet18": lambda: _torchvision(
        "resnet18", "ResNet18_Weights.IMAGENET1K_V1", None, 46.8, "ImageNet, light and quick"
    ),
    "resnet34": lambda: _torchvision(
        "resnet34", "ResNet34_Weights.IMAGENET1K_V1", None, 87.3, "ImageNet, between ResNet-18 and ResNet-50"
    ),
    "resnet50": lambda: _torchvision(
        "resnet50", "ResNet50_Weights.IMAGENET1K_V1", 1024, 102.5, "ImageNet, half the cost of the paper's"
    ),
    "resnet101": lambda: _torchvision(
        "resnet101", "ResNet101_Weights.IMAGENET1K_V1", 1024, 178.8, "ImageNet, as costly as the paper's"
    ),
    "wide_resnet101_2": lambda: _torchvision(
        "wide_resnet101_2",
        "Wide_ResNet101_2_Weights.IMAGENET1K_V1",
        1024,
        254.7,
        "ImageNet, the largest here",
    ),
}


def names() -> tuple[str, ...]:
    """Names of all registered backbones, those in the repository first."""
    return tuple(_BUILDERS)


@lru_cache
def spec(name: str) -> BackboneSpec:
    """Look up one entry.

    Raises
    ------
    SettingsError
        If there is no backbone of that name.
    """
    if name not in _BUILDERS:
        raise SettingsError(f"There is no backbone '{name}'. Known: {', '.join(_BUILDERS)}.")
    return _BUILDERS[name]()


def weights_folders() -> list[Path]:
    """Folders in which weight files are looked for, in order."""
    folders = [Path(torch.hub.get_dir()) / "checkpoints"]
    if own := os.environ.get("PATCHCORE_WEIGHTS"):
        folders.insert(0, Path(own))
    return folders


def find_weights(name: str) -> Path | None:
    """Path of a backbone's weight file on this machine, or None. Reads nothing, never blocks."""
    entry = spec(name)
    if entry.builtin:
        return PACKAGED_WEIGHTS / entry.weights_file
    candidates = (folder / entry.weights_file for folder in weights_folders())
    return next((path for path in candidates if path.is_file()), None)


def default_backbone() -> str:
    """The paper's WideResNet-50-2 once its weights are on this machine, else the better built-in network."""
    return "wide_resnet50_2" if find_weights("wide_resnet50_2") else BUILTIN


def missing_weights_sentence(name: str) -> str:
    """Which file to put where, in one sentence a colleague with internet can act on."""
    entry = spec(name)
    return (
        f"The weights of {name} are not on this machine. Put the file {entry.weights_file} "
        f"({entry.megabytes:.0f} MB, SHA-256 beginning {entry.sha256}) into {weights_folders()[0]}; "
        f"it can be downloaded from {entry.url}. The backbone '{BUILTIN}' needs no file."
    )


def download_weights(
    name: str, progress: Callable[[int, int], None] | None = None, *, timeout: float = 20.0
) -> Path:
    """Download a backbone's weights into the first weights folder, because the user asked for it.

    Parameters
    ----------
    name
        A registered backbone.
    progress
        Called with (bytes done, bytes in all).
    timeout
        Seconds without an answer after which to give up.

    Raises
    ------
    WeightsError
        If the file cannot be fetched.
    WeightsMismatch
        If what came is not the expected file; nothing is kept then.
    """
    entry = spec(name)
    if entry.url is None:
        return PACKAGED_WEIGHTS / entry.weights_file
    target = weights_folders()[0] / entry.weights_file
    try:
        fetch(entry.url, target, entry.sha256, progress, timeout)
    except OSError as error:
        raise WeightsError(
            f"The download of {entry.weights_file} failed ({error}). {missing_weights_sentence(name)}"
        ) from error
    return target


class Trunk(nn.Module):
    """A torchvision ResNet cut after the deepest layer that is asked for.

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
        """Return the named maps: [N, 3, H, W] -> {layer: [N, C, H', W']}."""
        maps = {}
        for name, stage in self.stages.items():
            x = stage(x)
            if name in self.layers:
                maps[name] = x
        return maps


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
        Where it runs.
    sha256
        Hash of the weight file; an inspector remembers it and refuses others.
    engine
        What runs network and local aggregation; None for torch itself. It is no part of what an inspector remembers.
    """

    spec: BackboneSpec
    network: nn.Module
    layers: tuple[str, ...]
    device: torch.device
    sha256: str
    engine: Engine | None = None

    @torch.inference_mode()
    def maps(self, images: Tensor) -> list[Tensor]:
        """Feature maps of RGB images in 0..1: [N, 3, S, S] -> one [N, C, H, W] per layer, shallow first."""
        with full_precision(self.device):
            found = self.network(image_net_normalised(images).contiguous(memory_format=torch.channels_last))
        return [found[layer] for layer in self.layers]


def resolve_device(device: str) -> torch.device:
    """Turn 'auto' into the GPU when there is one, else the CPU.

    Raises
    ------
    SettingsError
        If a GPU is asked for by name and there is none.
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
        'torch' or 'openvino'; None for what `PATCHCORE_ENGINE` says, else 'torch'.

    Raises
    ------
    WeightsMissing
        At once, when the file is not on this machine.
    WeightsMismatch
        When the file does not have the expected hash, or its tensors do not fit the network.
    """
    entry = spec(name)
    path = Path(weights).expanduser() if weights else find_weights(name)
    if path is None:
        raise WeightsMissing(missing_weights_sentence(name))
    if not path.is_file():
        raise WeightsMissing(f"There is no weight file {path}.")
    expected = sha256 or ("" if weights else entry.sha256)
    digest = check_hash(path, expected)
    chosen = tuple(layers or entry.layers)
    network = entry.build()
    known = [child for child, _ in network.named_children()]
    if unknown := [layer for layer in chosen if layer not in known]:
        raise SettingsError(f"{name} has no layer {', '.join(unknown)}. It has: {', '.join(known)}.")
    _load_state(network, read_state(path), chosen, path)
    target = resolve_device(device)
    trunk = network if entry.builtin else Trunk(network, chosen)
    trunk = trunk.eval().requires_grad_(False).to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    runner = make_engine(engine or os.environ.get("PATCHCORE_ENGINE", "torch"), target)
    return Backbone(entry, trunk, chosen, target, digest, runner)


def _load_state(network: nn.Module, state: dict[str, Tensor], layers: tuple[str, ...], path: Path) -> None:
    wanted = network.state_dict()
    children = [name for name, _ in network.named_children()]
    beyond = children[max(children.index(layer) for layer in layers) + 1 :]
    needed = {key for key in wanted if key.split(".")[0] not in beyond}
    missing = sorted(key for key in needed - state.keys() if not key.endswith("num_batches_tracked"))
    if missing:
        raise WeightsMismatch(
            f"{path} does not fit this backbone: it lacks {missing[0]} and {len(missing) - 1} more."
        )
    for key in needed & state.keys():
        if state[key].shape != wanted[key].shape:
            raise WeightsMismatch(
                f"{path} does not fit this backbone: {key} is {tuple(state[key].shape)}, "
                f"expected {tuple(wanted[key].shape)}."
            )
    network.load_state_dict(
        {key: state[key].to(wanted[key].dtype) for key in needed & state.keys()}, strict=False
    )
