"""The estimated cost of a build: one image is run through the network, stated rules give the rest.

The rules were fitted to the builds of `docs/performance.csv`, measured on two cores. Finished builds of a workspace
say how much faster or slower its machine is (`pace`).
"""

import math
import statistics
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
from patchcore.fitting.extraction import SAMPLED
from patchcore.settings import Settings
from workbench.jobs.requests import JobState, list_jobs
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace

START_SECONDS = 4.0  # a process of its own that loads its libraries and the network, and saves the inspector
PROGRAM_MEGABYTES = 930.0  # interpreter, libraries, network and a few images in hand
MEGAPIXEL_MEGABYTES = 63.0  # of a photograph in hand, and of those read ahead
COPIES_SECONDS = 0.13  # a megapixel of a photograph whose harmless copies are rendered
IN_BATCHES = 0.8  # an image's time in a build, several at once through the network, to its time alone
STAGE_SECONDS = 0.13  # of the coreset and of the calibration, whatever their size
# The greedy search compares only patches that may be picked next, and scores without an image only rows that may be
# nearest; so their time grows more slowly than the number of rows.
GROWTH = 0.6
GREEDY_SECONDS, PATCH_SECONDS = 4.2e-8, 9e-7  # of a patch in the greedy search: with the rows, and at all
LEFT_OUT_SECONDS, LEFT_OUT_PATCH_SECONDS = 2.1e-8, 1.1e-6  # of a patch in the calibration, likewise
COMPARING_SECONDS, COMPARED_PATCH_SECONDS = (
    6e-10,
    5e-6,
)  # of a patch of a scored image: for each row, and at all
SCORE_SECONDS = 0.004  # map, worst patch and check of the picture
OPERATIONS_PER_SECOND = 1.1e11  # multiplications and additions of SPADE's comparisons
GAUSSIAN_OPERATIONS_PER_SECOND = 2.2e9  # of a comparison with a matrix for each position
LEFT_OUT_COSTS = 4.0  # a comparison with an image taken out of the Gaussians, in plain comparisons
NETWORK_RUNS, NETWORK_SECONDS = 5, 1.0  # measurements of the network at most, and their time at most
BUILDS_FOR_PACE, JOBS_LOOKED_AT = 5, 200
LEAST_SECONDS, MOST_PACE = 0.5, 4.0  # of a coreset that tells the pace of a machine, and of the pace itself
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
    """Run one grey image through a network several times, and return the shortest time but the first.

    Other work of the computer only makes a run longer, so the shortest is nearest the network's own time.

    Raises
    ------
    WeightsError
        When the network's weights are not on this computer.
    """
    with _one_at_a_time:
        network = load_backbone(backbone, weights)
        image = np.full((image_size, image_size, 3), 0.5, np.float32)
        patch_features(network, image)
        began, seconds = time.perf_counter(), math.inf
        for _ in range(NETWORK_RUNS):
            start = time.perf_counter()
            features = patch_features(network, image)
            seconds = min(seconds, time.perf_counter() - start)
            if time.perf_counter() - began > NETWORK_SECONDS:
                break
    rows, columns, dims = features.shape
    return NetworkCost(seconds, rows, columns, dims)


def estimate_build(
    cost: NetworkCost,
    images: int,
    settings: Settings,
    *,
    reading_seconds: float = 0.02,
    megapixels: float = 0.0,
    inspected: float = 1.0,
    pace: float = 1.0,
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
    megapixels
        Pixels of the largest image, in millions.
    inspected
        Share of the network's input that is neither padding nor outside the region of interest.
    pace
        Time of learning on this machine as a multiple of the rules' time, as `pace` finds it.

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
    # Images are read ahead, by a thread that shares the cores with the network.
    each = max(reading_seconds, IN_BATCHES * cost.seconds + reading_seconds / 2)
    copies = min(images, SAMPLED) * COPIES_SECONDS * megapixels
    return BuildEstimate(
        seconds=START_SECONDS + images * each + copies + pace * more,
        peak_megabytes=PROGRAM_MEGABYTES + MEGAPIXEL_MEGABYTES * megapixels + peak,
        learned=learned,
        network_seconds=cost.seconds,
        image_seconds=cost.seconds + SCORE_SECONDS + comparing,
    )


def bank(amount: Amount, settings: Settings) -> Learned:
    """Estimate PatchCore: the greedy order of the patches, and the largest bank."""
    patches = max(1, amount.images * amount.each)
    kept = coreset_size(patches, settings.coreset)
    megabytes = kept * amount.dims * 4 / 1e6
    compared = _calibrated(amount) * amount.each
    return Learned(
        parts=("patches", kept),
        seconds=_greedy_seconds(patches, kept)
        + STAGE_SECONDS
        + compared * (LEFT_OUT_PATCH_SECONDS + LEFT_OUT_SECONDS * kept**GROWTH),
        megabytes=megabytes,
        peak_megabytes=patches * min(PROJECTED_DIMS, amount.dims) * 4 / 1e6 + megabytes,
        score_seconds=amount.each * (COMPARED_PATCH_SECONDS + COMPARING_SECONDS * kept),
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
    nearest = min(settings.nearest_images, amount.images) * amount.each
    score = 2.0 * amount.each * nearest * amount.dims / OPERATIONS_PER_SECOND
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


def pace(workspace: Workspace) -> float:
    """Return the time that learning takes on this machine, as a multiple of the rules' time.

    The median over the latest builds by PatchCore; 1 before the first one.
    """
    ratios = []
    for job in list_jobs(workspace, JobState.DONE, limit=JOBS_LOOKED_AT):
        ratio = _ratio(job) if job.kind == "build" and job.attempts == 1 else None
        if ratio is not None:
            ratios.append(ratio)
        if len(ratios) == BUILDS_FOR_PACE:
            break
    return min(MOST_PACE, max(1 / MOST_PACE, statistics.median(ratios))) if ratios else 1.0


def _ratio(job: Job) -> float | None:
    """Return the time of a build's coreset as a multiple of the rule's; None where it is too short to tell."""
    stages = {stage["name"]: stage for stage in job.stages}
    if "coreset" not in stages or stages["coreset"]["seconds"] < LEAST_SECONDS:
        return None
    kept, seconds = int(stages["coreset"]["total"]), float(stages["coreset"]["seconds"])
    share = float(job.arguments["settings"]["coreset"])
    return seconds / _greedy_seconds(round(kept / share), kept)


def _greedy_seconds(patches: int, kept: int) -> float:
    each: float = PATCH_SECONDS + GREEDY_SECONDS * kept**GROWTH
    return STAGE_SECONDS + patches * each
