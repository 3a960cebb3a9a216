import math

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from patchcore.statistics.curves import Curve, Sweep, Undefined, between, measures_to_dict

SCORES = np.array([1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 8.0])
DEFECT = np.array([0, 0, 1, 0, 1, 1, 1], bool)


def test_roc_holds_the_points_of_scikit_learn():
    curve = Sweep.of_scores(SCORES, DEFECT).roc()
    fpr, tpr, thresholds = roc_curve(DEFECT, SCORES, drop_intermediate=False)
    assert curve.x == pytest.approx(fpr) and curve.y == pytest.approx(tpr)
    assert np.array_equal(curve.thresholds, thresholds)


def test_precision_recall_holds_the_points_of_scikit_learn():
    curve = Sweep.of_scores(SCORES, DEFECT).precision_recall()
    precision, recall, _ = precision_recall_curve(DEFECT, SCORES)
    assert curve.x[1:] == pytest.approx(recall[:-1][::-1])
    assert curve.y[1:] == pytest.approx(precision[:-1][::-1])


def test_aupro_by_hand():
    # two good of four at or above the only useful threshold: the straight line from (0, 0) to (0.5, 1)
    sweep = Sweep(np.array([2.0, 1.0]), np.array([2.0, 4.0]), np.array([3.0, 3.0]), np.array([1.0, 1.0]))
    assert sweep.aupro(0.5) == pytest.approx(0.5)
    assert sweep.aupro(0.25) == pytest.approx(0.25)
    assert sweep.aupro(1.0) == pytest.approx(0.75)
    assert isinstance(Sweep.of_scores(SCORES, DEFECT).aupro(0.3), Undefined)
    assert Sweep.of_scores(SCORES, DEFECT).pro() is None


def test_best_f1_prefers_fewer_escapes():
    sweep = Sweep.of_scores(SCORES, DEFECT)
    assert sweep.best_f1() == (pytest.approx(6 / 7), 4.0)
    # 2/3 is reached with the highest alone and with all four
    tied = Sweep.of_scores(np.array([1.0, 2, 3, 4]), np.array([1, 0, 0, 1], bool))
    f1, threshold = tied.best_f1()
    assert f1 == pytest.approx(2 / 3) and threshold == np.nextafter(1.0, -1)


def test_between_always_separates():
    assert between(2.0, 4.0) == 3.0
    neighbour = float(np.nextafter(2.0, 3.0))
    assert 2.0 <= between(2.0, neighbour) < neighbour
    assert between(-math.inf, 2.0) < 2.0


def test_thinning_keeps_ends_and_shape():
    x = np.linspace(0, 1, 100_001)
    curve = Curve(x, np.sqrt(x), 1 - x)
    thin = curve.thinned(200)
    assert 150 <= thin.x.size <= 202
    assert (thin.x[0], thin.x[-1], thin.y[-1]) == (0, 1, 1)
    assert np.abs(np.interp(x, thin.x, thin.y) - curve.y).max() < 0.005
    assert curve.thinned(10**6) is curve


def test_plain_values_for_json():
    assert measures_to_dict({"a": 0.5, "b": Undefined("Why.")}) == {
        "a": 0.5,
        "b": None,
        "b_undefined": "Why.",
    }
    assert str(Undefined("Why.")) == "undefined: Why."
    curve = Curve(np.array([0.0]), np.array([1.0]), np.array([math.inf]))
    assert curve.to_dict() == {"x": [0.0], "y": [1.0], "thresholds": [None]}


def test_the_place_of_a_threshold_is_what_scores_more_than_it():
    curve = Sweep.of_scores(SCORES, DEFECT).roc()
    for threshold in (-1.0, 1.0, 2.0, 2.5, 5.0, 7.9, 8.0, 9.0):
        above = threshold < SCORES
        assert curve.at(threshold) == ((above & ~DEFECT).sum() / 3, (above & DEFECT).sum() / 4)
