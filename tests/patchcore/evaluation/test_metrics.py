import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from patchcore.errors import DataError
from patchcore.evaluation.metrics import image_curves, image_metrics, image_metrics_by_type
from patchcore.statistics.curves import Undefined


@pytest.mark.parametrize("seed", range(8))
def test_equals_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    labels = rng.random(70) < 0.3
    scores = np.round(rng.normal(size=70) + labels, 1)
    found = image_metrics(scores, labels)
    assert found.auroc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found.average_precision == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    candidates = [-np.inf, *np.unique(scores)[:-1]]
    assert found.f1_max == pytest.approx(max(f1_score(labels, scores > t) for t in candidates), abs=1e-12)
    assert found.f1_max == pytest.approx(f1_score(labels, scores > found.f1_threshold), abs=1e-12)
    assert (found.n_good, found.n_defect) == ((~labels).sum(), labels.sum())


def test_two_images_and_identical_scores():
    assert image_metrics([1, 2], [0, 1]).auroc == 1.0
    assert image_metrics([2, 1], [0, 1]).auroc == 0.0
    flat = image_metrics([3.0] * 10, [True] * 5 + [False] * 5)
    assert (flat.auroc, flat.average_precision, flat.f1_max) == (0.5, 0.5, pytest.approx(2 / 3))
    assert flat.f1_threshold < 3.0


@pytest.mark.parametrize(
    ("labels", "word", "counts"),
    [([0, 0], "defect", (2, 0)), ([1, 1], "good", (0, 2)), ([], "defect", (0, 0))],
)
def test_undefined_metric_has_a_reason(labels, word, counts):
    found = image_metrics(np.arange(len(labels)), labels)
    assert (
        isinstance(found.auroc, Undefined)
        and f"labelled as {'a ' * (word == 'defect')}{word}" in found.auroc.reason
    )
    assert found.to_dict()["auroc"] is None and word in found.to_dict()["auroc_undefined"]
    assert (found.n_good, found.n_defect) == counts
    assert isinstance(image_curves(np.arange(len(labels)), labels), Undefined)


def test_bad_input_gets_a_sentence():
    with pytest.raises(DataError, match=r"1 of 3 scores .* position 2"):
        image_metrics([1.0, np.nan, 2.0], [0, 1, 0])
    with pytest.raises(DataError, match="3 scores and 2 labels"):
        image_metrics([1.0, 1.0, 2.0], [0, 1])
    with pytest.raises(DataError, match="A label says"):
        image_metrics([1.0, 1.0], [0, 2])


def test_each_type_is_measured_against_all_good_images():
    scores = np.array([1.0, 2.0, 3.0, 2.5, 9.0, 0.5])
    types = ["good", None, "good", "scratch", "dent", "dent"]
    found = image_metrics_by_type(scores, types)
    assert list(found) == ["dent", "scratch"]
    assert found["scratch"].auroc == pytest.approx(2 / 3)
    assert found["dent"].auroc == pytest.approx(1 / 2)
    assert (found["dent"].n_good, found["dent"].n_defect) == (3, 2)


def test_curves_are_ready_to_draw():
    curves = image_curves([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    assert curves["roc"].x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curves["roc"].y.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curves["precision_recall"].y.tolist() == pytest.approx([1, 1, 0.5, 2 / 3, 0.5])
