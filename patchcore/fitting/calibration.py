"""The third stage: scores of the good images by a bank without their own rows.

This stage is never divided among processes: its threads already keep all cores busy, and it takes a twentieth of a
build (docs/performance.md), less than the start of a process.
"""

import numpy as np

from patchcore.bank import MemoryBank
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.leave_one_out import GoodScores, score_good_images

LARGEST_CALIBRATION = 400  # good images that are scored leave-one-out; more are sampled by the seed


def calibrate(run: FittingRun, store: FeatureStore, bank: MemoryBank) -> GoodScores:
    """Score good images without their own rows; a seeded sample of them where there are very many."""
    count = min(len(store.images), LARGEST_CALIBRATION)
    chosen = np.sort(np.random.default_rng(run.settings.seed).permutation(len(store.images))[:count])
    patches = ((int(i), store.rows(store.images[i])) for i in chosen)
    return score_good_images(bank, patches, lambda done: run.report("calibration", done, count))
