"""Near copies among the good images: pictures that differ no more than a picture differs from its harmless copies.

The distance of two images is the root mean square, over the places of the map, of the distance between their patches.
The bound is made for each build, because distances depend on network, product and size. Harmless copies of the first
images are rendered. Images as near as the gentle copies are always near copies. Images as near as the rough copies are
near copies where they are also far nearer than half of the pairs of good images, or where many good images are near
copies and the rest lies no farther apart: small pictures full of noise lose much to a crop and a JPEG. Good images of
different parts under a fixed camera lie beyond the bound (docs/trials.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from patchcore.features import patch_features
from patchcore.fitting.extraction import Extracted, Harmless
from patchcore.fitting.feature_store import FeatureStore, StoredImage
from patchcore.fitting.run import FittingRun
from patchcore.images.reading import ImageRecord
from patchcore.kernels.search import nearest_rows

CANDIDATES = 16  # nearest images by pooled features, which are compared patch by patch
PAIRED = 32  # images, evenly spaced, whose pairs show the distance of good images
FAR = 0.5  # quantile of those pairs, which one odd image does not move
NEARER = 0.45  # share of it that rough copies stay below
COPIED = 0.25  # share of near copies from which all images may be copies of one picture
CELLS = 4  # a side: patches are pooled in 16 cells
LEAST_SHARED = 0.9  # of the places of a map: images with fewer in common were fitted in differently
ROUNDING = 1.001


def named_near_copies(run: FittingRun, store: FeatureStore, extracted: Extracted) -> list[ImageRecord]:
    """Return the records of the good images, each near copy with the hash of its group's first image."""
    records = extracted.records
    if len(records) < 2:
        return records
    gentle, rough = copy_distances(run, store, extracted.harmless)
    bound = max(gentle, min(rough, NEARER * _far(store, range(len(records)))))
    groups = _groups(run, store, extracted.grid, bound)
    rest = np.unique(groups).tolist()
    between = 2 * rough  # of two rough copies, at most
    if len(rest) <= (1 - COPIED) * len(records) and _far(store, rest) <= between:
        groups = _groups(run, store, extracted.grid, between)  # one picture, in copies of all kinds
    sizes = np.bincount(groups, minlength=len(records))
    return [
        replace(record, near_copy_of=records[first].pixel_sha256 if sizes[first] > 1 else "")
        for record, first in zip(records, groups.tolist(), strict=True)
    ]


def copy_distances(run: FittingRun, store: FeatureStore, harmless: Sequence[Harmless]) -> tuple[float, float]:
    """Return the largest distances of gentle and of rough copies from their image, as means over the first images.

    Parameters
    ----------
    run, store
        The build and its stored features.
    harmless
        For each of the first images of the store, its gentle and its rough copies.
    """
    worst = []
    for image, kinds in zip(store.images, harmless, strict=False):
        own, at = store.rows(image), image.positions
        worst.append([max(_rms(own, _patches(run, copy, at)) for copy in copies) for copies in kinds])
    gentle, rough = np.mean(worst, axis=0)
    return float(gentle), float(rough)


def _patches(run: FittingRun, copy: NDArray[np.float32], at: NDArray[np.int64]) -> NDArray[np.float32]:
    features = patch_features(run.backbone, copy, run.settings.dims)
    return features.reshape(-1, features.shape[2])[at]


def _far(store: FeatureStore, numbers: Sequence[int]) -> float:
    """Return the distance that half of the pairs of these good images stay below."""
    chosen = np.unique(np.linspace(0, len(numbers) - 1, PAIRED).astype(int))
    some = [store.images[numbers[i]] for i in chosen.tolist()]
    distances = [_distance(store, one, other) for one, other in combinations(some, 2)]
    return float(np.quantile([d for d in distances if np.isfinite(d)] or [0.0], FAR))


def _groups(run: FittingRun, store: FeatureStore, grid: tuple[int, int], bound: float) -> NDArray[np.int64]:
    """Return for each image the number of the first image of its group, [n] int64."""
    images = store.images
    pooled = np.stack([_pooled(store.rows(image), image.positions, grid) for image in images])
    distances, rows = nearest_rows(pooled, pooled, CANDIDATES + 1)
    firsts = np.arange(len(images))
    for number, (near, others) in enumerate(zip(distances, rows, strict=True)):
        run.report("features", len(images), len(images))  # no stage of its own, but a place to stop at
        # Pooling never raises this distance, so an image beyond the bound here is beyond it patch by patch.
        for other in others[(near <= bound * ROUNDING) & (others != number)].tolist():
            if firsts[other] != firsts[number] and _distance(store, images[number], images[other]) <= bound:
                joined = sorted((firsts[other], firsts[number]))
                firsts[firsts == joined[1]] = joined[0]
    return firsts


def _pooled(rows: NDArray[np.float32], at: NDArray[np.int64], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Pool patches [P, dims] at places [P] in cells: [CELLS * CELLS * dims] float32, weighted by patches."""
    down, across = np.divmod(at, grid[1])
    cells = (down * CELLS // grid[0]) * CELLS + across * CELLS // grid[1]
    member = (cells == np.arange(CELLS * CELLS)[:, None]).astype(np.float32)  # [cells, P]
    counts = np.maximum(member.sum(1, keepdims=True), 1)
    pooled = member @ rows / counts * np.sqrt(counts / len(at))
    return np.asarray(pooled, np.float32).ravel()


def _distance(store: FeatureStore, one: StoredImage, other: StoredImage) -> float:
    if one.kept == other.kept:
        return _rms(store.rows(one), store.rows(other))
    shared, here, there = np.intersect1d(one.positions, other.positions, return_indices=True)
    if len(shared) < LEAST_SHARED * max(one.count, other.count):
        return np.inf
    return _rms(store.rows(one)[here], store.rows(other)[there])


def _rms(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Root mean square distance of patches [P, dims]."""
    difference = (one - other).ravel()
    return float(np.sqrt(np.dot(difference, difference) / len(one)))
