"""The last stage: the check of the whole picture, learned from the stored features of the good images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from patchcore.coreset import greedy_k_centre
from patchcore.fitting.calibration import calibration_sample
from patchcore.fitting.feature_store import FeatureStore, StoredImage
from patchcore.fitting.run import FittingRun
from patchcore.images.copy_groups import CopyGroups
from patchcore.images.geometry import Placement, place
from patchcore.images.reading import ImageRecord
from patchcore.plausibility.doubt import Doubt
from patchcore.plausibility.good_images import doubts_on_good
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.plausibility.typical_patches import ANYWHERE, TypicalPatches, placed_patches, places
from patchcore.settings import Settings

TEACHERS = 64  # good images that typical patches are chosen from
CANDIDATES = 8_000  # patches of theirs that are chosen among
ANYWHERE_COUNT = 128  # typical patches that are looked for anywhere


def learn_picture_check(
    run: FittingRun, store: FeatureStore, grid: tuple[int, int], groups: CopyGroups
) -> PictureCheck:
    """Choose typical patches from good images with maps of size `grid`, and measure the good images by them.

    Patches that are looked for anywhere are the first of a greedy k-centre order, so that every kind of place of the
    part has its own, the rare ones too. The images are those that thresholds are calibrated on, one of each of the
    `groups` of near copies.
    """
    sample = calibration_sample(run, groups)
    teachers = sample[np.linspace(0, len(sample) - 1, min(TEACHERS, len(sample))).astype(np.int64)]
    anywhere, owners = _anywhere(run, store, teachers)
    placed, placed_owners, cells = _placed(run, store, teachers, grid)
    patches = TypicalPatches(
        np.concatenate([anywhere, placed]),
        np.concatenate([owners, placed_owners]),
        np.concatenate([np.full(len(anywhere), ANYWHERE, np.int32), cells]),
        grid,
    )
    distances = np.empty((len(sample), len(patches)), np.float32)
    for done, number in enumerate(sample.tolist()):
        run.report("calibration", len(sample), len(sample))
        image = store.images[number]
        distances[done] = patches.distances(store.rows(image), _inspected(image, grid))
    measures = np.array([store.images[number].measures for number in sample])
    return PictureCheck(patches, sample.astype(np.int32), measures, distances)


def doubts_on_good_images(
    check: PictureCheck | None, records: Sequence[ImageRecord], settings: Settings
) -> list[tuple[ImageRecord, tuple[Doubt, ...]]]:
    """Return the good images that the check learned from the others doubts, with the doubts; no feature is computed."""

    def placement(number: int) -> Placement:
        record = records[number]
        return place((record.height, record.width), settings.geometry_of_input())

    found = {} if check is None else doubts_on_good(check, placement)
    return [(records[number], doubts) for number, doubts in found.items()]


def _anywhere(
    run: FittingRun, store: FeatureStore, teachers: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    draw, features, owners = np.random.default_rng(run.settings.seed), [], []
    for number in teachers.tolist():
        rows = store.rows(store.images[number])
        count = min(len(rows), -(-CANDIDATES // len(teachers)))
        features.append(rows[np.sort(draw.permutation(len(rows))[:count])])
        owners.append(np.full(count, number, np.int32))
    points, owner = np.concatenate(features), np.concatenate(owners)
    order = greedy_k_centre(
        points, min(ANYWHERE_COUNT, len(points)), run.settings.seed, cancelled=run.cancelled
    )
    return points[order.indices], owner[order.indices]


def _placed(
    run: FittingRun, store: FeatureStore, teachers: NDArray[np.int64], grid: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    cells = places(grid)

    def at_places(number: int) -> NDArray[np.float32]:
        run.report("calibration", len(teachers), len(teachers))
        image = store.images[number]
        laid = np.full((grid[0] * grid[1], store.dims), np.nan, np.float32)
        laid[image.positions] = store.rows(image)
        return laid[cells]

    return placed_patches(cells, teachers.tolist(), map(at_places, teachers.tolist()))


def _inspected(image: StoredImage, grid: tuple[int, int]) -> NDArray[np.bool_]:
    inspected = np.zeros(grid, bool)
    inspected.flat[image.positions] = True
    return inspected
