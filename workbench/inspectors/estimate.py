"""The estimated cost of a build: one image is run through the network, stated rules give the rest."""

import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from patchcore.backbones import load_backbone
from patchcore.coreset import coreset_size
from patchcore.features import patch_features

START_SECONDS = 8.0  # a process of its own that loads its libraries
PROGRAM_MEGABYTES = 600.0  # interpreter, libraries, network and one image in hand
SECONDS_PER_COMPARISON = 1.5e-8  # one stored patch against one pick in the greedy search, two cores
OPERATIONS_PER_SECOND = 3e10  # multiplications and additions of the nearest-neighbour search, two cores
CALIBRATED_IMAGES = 400  # good images scored without themselves, at most
PROJECTED_DIMS = 128
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class NetworkCost:
    """The measured cost of one image."""

    seconds: float
    rows: int
    columns: int
    dims: int


@dataclass(frozen=True)
class BuildEstimate:
    """The expected time and memory of a build.

    Attributes
    ----------
    seconds
        From pressing the button to an inspector.
    peak_megabytes
        Memory of the building process.
    bank_megabytes, bank_patches
        The largest bank that is kept.
    image_seconds
        Network time of one image.
    """

    seconds: float
    peak_megabytes: float
    bank_megabytes: float
    bank_patches: int
    image_seconds: float


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
    cost: NetworkCost, images: int, coreset: float, *, reading_seconds: float = 0.02, inspected: float = 1.0
) -> BuildEstimate:
    """Estimate a build from the cost of one image.

    Parameters
    ----------
    images
        Number of good images.
    coreset
        Largest share of all patches to keep, 0 to 1.
    reading_seconds
        Time to read one image from disk, measured by the check of the images.
    inspected
        Share of the network's input that is neither padding nor outside the region of interest.
    """
    each = max(1, round(cost.rows * cost.columns * inspected))
    patches = max(1, images * each)
    kept = coreset_size(patches, coreset)
    greedy = patches * kept * SECONDS_PER_COMPARISON
    calibration = 2.0 * min(images, CALIBRATED_IMAGES) * each * kept * cost.dims / OPERATIONS_PER_SECOND
    bank = kept * cost.dims * 4 / 1e6
    projected = patches * PROJECTED_DIMS * 4 / 1e6
    return BuildEstimate(
        seconds=START_SECONDS + images * (cost.seconds + reading_seconds) + greedy + calibration,
        peak_megabytes=PROGRAM_MEGABYTES + projected + 2 * bank,
        bank_megabytes=bank,
        bank_patches=kept,
        image_seconds=cost.seconds,
    )
