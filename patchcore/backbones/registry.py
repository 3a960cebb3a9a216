"""The registry of backbones, by name; and the search for their weights on this machine.

Nothing is ever downloaded unless :func:`download_weights` is called.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from patchcore.backbones.default import DEFAULT
from patchcore.backbones.efficientnet_lite import lite2
from patchcore.backbones.entry import BackboneSpec
from patchcore.backbones.resnets import torchvision_resnet
from patchcore.backbones.weight_files import fetch
from patchcore.backbones.weight_sources import AddressedWeights, local_folders
from patchcore.errors import SettingsError, WeightsError, WeightsMissing

PAPERS = "wide_resnet50_2"

_BUILDERS: dict[str, Callable[[], BackboneSpec]] = {
    DEFAULT: lite2,
    PAPERS: partial(
        torchvision_resnet,
        PAPERS,
        "WideResNet-50-2",
        "Wide_ResNet50_2_Weights.IMAGENET1K_V1",
        1024,
        138.2,
        "the paper's; several times slower than the default",
    ),
    "resnet18": partial(
        torchvision_resnet,
        "resnet18",
        "ResNet-18",
        "ResNet18_Weights.IMAGENET1K_V1",
        None,
        46.8,
        "ImageNet, light and quick",
    ),
    "resnet34": partial(
        torchvision_resnet,
        "resnet34",
        "ResNet-34",
        "ResNet34_Weights.IMAGENET1K_V1",
        None,
        87.3,
        "ImageNet, between ResNet-18 and ResNet-50",
    ),
    "resnet50": partial(
        torchvision_resnet,
        "resnet50",
        "ResNet-50",
        "ResNet50_Weights.IMAGENET1K_V1",
        1024,
        102.5,
        "ImageNet, half the cost of the paper's",
    ),
    "resnet101": partial(
        torchvision_resnet,
        "resnet101",
        "ResNet-101",
        "ResNet101_Weights.IMAGENET1K_V1",
        1024,
        178.8,
        "ImageNet, as costly as the paper's",
    ),
    "wide_resnet101_2": partial(
        torchvision_resnet,
        "wide_resnet101_2",
        "WideResNet-101-2",
        "Wide_ResNet101_2_Weights.IMAGENET1K_V1",
        1024,
        254.7,
        "ImageNet, the largest here",
    ),
}


def names() -> tuple[str, ...]:
    """Names of all registered backbones, the default first."""
    return tuple(_BUILDERS)


@lru_cache
def spec(name: str) -> BackboneSpec:
    """Look up one entry.

    Raises
    ------
    SettingsError
        If the name is unknown.
    """
    if name not in _BUILDERS:
        raise SettingsError(f"There is no backbone '{name}'. Known: {', '.join(_BUILDERS)}.")
    return _BUILDERS[name]()


def find_weights(name: str) -> Path | None:
    """Path of a backbone's weight file on this machine, or None. Reads nothing, never blocks."""
    return next(iter(spec(name).weights.places()), None)


def preferred_backbone() -> str:
    """The paper's WideResNet-50-2 once its weights are on this machine, else the default."""
    return PAPERS if find_weights(PAPERS) else DEFAULT


def missing_weights_sentence(name: str) -> str:
    """Return a sentence for a colleague with internet: the file to fetch, and the folder to put it in."""
    sentence = spec(name).weights.missing(name)
    return (
        f"{sentence} The backbone '{DEFAULT}' is installed and needs no file."
        if find_weights(DEFAULT)
        else sentence
    )


def download_weights(
    name: str, progress: Callable[[int, int], None] | None = None, *, timeout: float = 20.0
) -> Path:
    """Download a backbone's weights into the first local folder, because the user asked for it.

    Parameters
    ----------
    name
        A registered backbone.
    progress
        Called with (bytes done, all bytes).
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    WeightsError
        If the file cannot be fetched, or comes with a package instead.
    WeightsMismatch
        If the download is not the expected file; it is deleted then.
    """
    weights = spec(name).weights
    if not isinstance(weights, AddressedWeights):
        if found := find_weights(name):
            return found
        raise WeightsMissing(missing_weights_sentence(name))  # pip brings it, as the sentence says
    target = local_folders()[0] / weights.file
    try:
        fetch(weights.url, target, weights.sha256, progress, timeout)
    except OSError as error:
        raise WeightsError(
            f"The download of {weights.file} failed ({error}). {missing_weights_sentence(name)}"
        ) from error
    return target
