"""The third stage: scores of the good images by a bank without their own rows."""

import numpy as np
from numpy.typing import NDArray

from patchcore.bank import MemoryBank
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.leave_one_out import GoodScores, score_good_images

LARGEST_CALIBRATION = 400  # good images that are scored leave-one-out; more are sampled by the seed


def calibrate(run: FittingRun, store: FeatureStore, bank: MemoryBank) -> GoodScores:
    """Score good images without their own rows; a seeded sample of them where there are very many."""
    chosen = calibration_sample(run, store)
    patches = ((int(i), store.rows(store.images[i])) for i in chosen)
    return score_good_images(bank, patches, lambda done: run.report("calibration", done, len(chosen)))


def calibration_sample(run: FittingRun, store: FeatureStore) -> NDArray[np.int64]:
    """Choose the good images to score, the same for every method: [n] int64 numbers, ascending."""
    count = min(len(store.images), LARGEST_CALIBRATION)
    return np.sort(np.random.default_rng(run.settings.seed).permutation(len(store.images))[:count])
