import numpy as np
import pytest
from scipy import stats

from patchcore.errors import DataError
from patchcore.evaluation.metrics import image_metrics
from patchcore.statistics.bootstrap import auroc_difference, auroc_interval, stratified_interval

RNG = np.random.default_rng(0)
GOOD, DEFECT = RNG.normal(0, 1, 80), RNG.normal(1.5, 1, 40)


def test_same_seed_same_interval():
    first = auroc_interval(GOOD, DEFECT, repeats=50, seed=3)
    assert first == auroc_interval(GOOD, DEFECT, repeats=50, seed=3)
    assert first != auroc_interval(GOOD, DEFECT, repeats=50, seed=4)


def test_draws_stay_within_their_kind():
    seen = []
    stratified_interval(lambda g, d: float(seen.append((g, d)) or 0), 5, 3, repeats=20)
    assert all(g.size == 5 and g.max() < 5 and d.size == 3 and d.max() < 3 for g, d in seen)


def test_auroc_interval_equals_recomputing_every_draw():
    def direct(g, d):
        return image_metrics(np.concatenate([GOOD[g], DEFECT[d]]), np.repeat([0, 1], [80, 40])).auroc

    expected = stratified_interval(direct, 80, 40, repeats=100, seed=1)
    assert auroc_interval(GOOD, DEFECT, repeats=100, seed=1) == pytest.approx(expected, abs=1e-6)


def test_auroc_interval_covers_the_truth():
    truth, rng, covered = stats.norm.cdf(1.5 / np.sqrt(2)), np.random.default_rng(7), 0
    for trial in range(100):
        low, high = auroc_interval(rng.normal(0, 1, 60), rng.normal(1.5, 1, 60), repeats=200, seed=trial)
        covered += low <= truth <= high
    assert covered >= 88


def test_paired_difference_is_narrower_than_either():
    better = (GOOD, DEFECT + 0.2)
    gain, (low, high) = auroc_difference(better, (GOOD, DEFECT), repeats=300)
    labels = np.repeat([0, 1], [80, 40])
    expected = (
        image_metrics(np.concatenate(better), labels).auroc
        - image_metrics(np.concatenate([GOOD, DEFECT]), labels).auroc
    )
    assert gain == pytest.approx(expected, abs=1e-6)
    assert 0 < low <= gain <= high
    alone = auroc_interval(GOOD, DEFECT, repeats=300)
    assert high - low < alone[1] - alone[0]
    with pytest.raises(DataError, match="same images"):
        auroc_difference(better, (GOOD[:-1], DEFECT))


def test_both_kinds_are_needed():
    with pytest.raises(DataError, match="at least one"):
        stratified_interval(lambda g, d: 0.0, 0, 3)
