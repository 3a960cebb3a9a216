"""The estimated cost of a build: one image is run through the network, stated rules give the rest."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from patchcore.backbones import load_backbone
from patchcore.coreset import PROJECTED_DIMS, coreset_size
from patchcore.features import patch_features
from patchcore.files.gaussian_rules import inverse_bytes, require_inverses
from patchcore.fitting.calibration import LARGEST_CALIBRATION
from patchcore.settings import Settings

START_SECONDS = 8.0  # a process of its own that loads its libraries
PROGRAM_MEGABYTES = 600.0  # interpreter, libraries, network and one image in hand
SECONDS_PER_COMPARISON = 1.5e-8  # one stored patch against one pick in the greedy search, two cores
OPERATIONS_PER_SECOND = 3e10  # multiplications and additions of the nearest-neighbour search, two cores
GAUSSIAN_OPERATIONS_PER_SECOND = 1e9  # of a comparison with a matrix for each position, two cores
LEFT_OUT_COSTS = 4.0  # a comparison with an image taken out of the Gaussians, in plain comparisons
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class NetworkCost:
    """The measured cost of one image."""

    seconds: float
    rows: int
    columns: int
    dims: int


@dataclass(frozen=True)
class Learned:
    """The expected size of what a method learns, and the time that it takes beside the network.

    Attributes
    ----------
    parts
        What is kept, as a number with its noun: ("patches", 7840).
    seconds
        Learning, and scoring the good images without themselves.
    megabytes
        What is kept, as the inspector's file has it.
    peak_megabytes
        Memory while building, beside the program.
    score_seconds
        Comparing one image with it.
    """

    parts: tuple[str, int]
    seconds: float
    megabytes: float
    peak_megabytes: float
    score_seconds: float


@dataclass(frozen=True)
class BuildEstimate:
    """The expected time and memory of a build.

    Attributes
    ----------
    seconds
        From pressing the button to an inspector.
    peak_megabytes
        Memory of the building process.
    learned
        What is kept of the good images; None for a method without a rule here.
    network_seconds
        Network time of one image.
    image_seconds
        Network and comparison of one image.
    """

    seconds: float
    peak_megabytes: float
    learned: Learned | None
    network_seconds: float
    image_seconds: float


@dataclass(frozen=True)
class Amount:
    """How much a method is to learn from.

    Attributes
    ----------
    images
        Number of good images.
    cells
        Positions of the feature map.
    each
        Inspected patches of one image.
    dims
        Length of a patch feature.
    """

    images: int
    cells: int
    each: int
    dims: int


@lru_cache(maxsize=16)
def network_cost(backbone: str, image_size: int, weights: str | None = None) -> NetworkCost:
    """Run one grey image through a network, twice, and return the second time.

    Raises
    ------
    WeightsError
        When the network's weights are not on this computer.
    """
    with _one_at_a_time:
        network = load_backbone(backbone, weights)
        image = np.full((image_size, image_size, 3), 0.5, np.float32)
        patch_features(network, image)
        start = time.perf_counter()
        features = patch_features(network, image)
        seconds = time.perf_counter() - start
    rows, columns, dims = features.shape
    return NetworkCost(seconds, rows, columns, dims)


def estimate_build(
    cost: NetworkCost,
    images: int,
    settings: Settings,
    *,
    reading_seconds: float = 0.02,
    inspected: float = 1.0,
) -> BuildEstimate:
    """Estimate a build from the cost of one image.

    Parameters
    ----------
    images
        Number of good images.
    settings
        Of the model.
    reading_seconds
        Time to read one image from disk, measured by the check of the images.
    inspected
        Share of the network's input that is neither padding nor outside the region of interest.

    Raises
    ------
    SettingsError
        The method would refuse the build because of its size.
    """
    cells = cost.rows * cost.columns
    amount = Amount(images, cells, max(1, round(cells * inspected)), cost.dims)
    rule = RULES.get(settings.method)
    learned = None if rule is None else rule(amount, settings)
    more, peak, comparing = (
        (0.0, 0.0, 0.0)
        if learned is None
        else (learned.seconds, learned.peak_megabytes, learned.score_seconds)
    )
    return BuildEstimate(
        seconds=START_SECONDS + images * (cost.seconds + reading_seconds) + more,
        peak_megabytes=PROGRAM_MEGABYTES + peak,
        learned=learned,
        network_seconds=cost.seconds,
        image_seconds=cost.seconds + comparing,
    )


def bank(amount: Amount, settings: Settings) -> Learned:
    """Estimate PatchCore: the greedy order of the patches, and the largest bank."""
    patches = max(1, amount.images * amount.each)
    kept = coreset_size(patches, settings.coreset)
    megabytes = kept * amount.dims * 4 / 1e6
    score = _comparing(amount, kept)
    return Learned(
        parts=("patches", kept),
        seconds=patches * kept * SECONDS_PER_COMPARISON + _calibrated(amount) * score,
        megabytes=megabytes,
        peak_megabytes=patches * PROJECTED_DIMS * 4 / 1e6 + 2 * megabytes,
        score_seconds=score,
    )


def gaussians(amount: Amount, settings: Settings) -> Learned:
    """Estimate PaDiM: a mean and a covariance for each position, whatever the number of images.

    Raises
    ------
    SettingsError
        The inverse covariances would be larger than PaDiM accepts.
    """
    drawn = min(settings.dims_used or amount.dims, amount.dims)
    require_inverses(amount.cells, drawn)
    packed = amount.cells * (drawn * (drawn + 1) // 2 + drawn) * 8
    score = amount.each * drawn**2 / GAUSSIAN_OPERATIONS_PER_SECOND
    summing = amount.images * score
    inverting = amount.cells * drawn**3 / GAUSSIAN_OPERATIONS_PER_SECOND
    return Learned(
        parts=("positions", amount.cells),
        seconds=summing + inverting + LEFT_OUT_COSTS * _calibrated(amount) * score,
        megabytes=packed / 1e6,
        peak_megabytes=(packed + 2 * inverse_bytes(amount.cells, drawn)) / 1e6,
        score_seconds=score,
    )


def patches(amount: Amount, settings: Settings) -> Learned:
    """Estimate SPADE: every patch is kept, and each image is compared with those of its nearest good images."""
    kept = max(1, amount.images * amount.each)
    megabytes = kept * (amount.dims * 4 + 8) / 1e6
    score = _comparing(amount, min(settings.nearest_images, amount.images) * amount.each)
    return Learned(
        parts=("patches", kept),
        seconds=_calibrated(amount) * score,
        megabytes=megabytes,
        peak_megabytes=2 * megabytes,
        score_seconds=score,
    )


RULES: Mapping[str, Callable[[Amount, Settings], Learned]] = {
    "patchcore": bank,
    "padim": gaussians,
    "spade": patches,
}
"""The rule of each method."""


def _calibrated(amount: Amount) -> int:
    return min(amount.images, LARGEST_CALIBRATION)


def _comparing(amount: Amount, rows: int) -> float:
    """Return the seconds of comparing an image's patches with so many rows."""
    return 2.0 * amount.each * rows * amount.dims / OPERATIONS_PER_SECOND
