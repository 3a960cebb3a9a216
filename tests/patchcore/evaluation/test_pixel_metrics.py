import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from patchcore.errors import DataError, SettingsError
from patchcore.evaluation.pixel_metrics import PixelMetrics, binary_mask
from patchcore.statistics.curves import Undefined


def naive_aupro(maps: list[np.ndarray], masks: list[np.ndarray], max_fpr: float) -> float:
    """Threshold by threshold, region by region, as the definition reads."""
    good = np.concatenate([m[~k] for m, k in zip(maps, masks, strict=True)])
    regions = []
    for scores, mask in zip(maps, masks, strict=True):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        regions += [scores[labels == k + 1] for k in range(count)]
    rates, overlaps = [0.0], [0.0]
    for threshold in np.unique(np.concatenate([m.ravel() for m in maps]))[::-1]:
        rates.append(float(np.mean(good >= threshold)))
        overlaps.append(float(np.mean([np.mean(region >= threshold) for region in regions])))
    kept = sum(rate <= max_fpr for rate in rates)
    at_limit = np.interp(max_fpr, rates, overlaps)
    return float(np.trapezoid([*overlaps[:kept], at_limit], [*rates[:kept], max_fpr])) / max_fpr


def scene(seed: int, size: int = 32, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), bool)
    mask[0:5, 0:7] = True  # in the corner of the image
    mask[5:8, 7:9] = True  # touches it at a corner
    mask[size - 1, 10:26] = True  # along the edge
    mask[15:20, 15:20] = mask[15:20, 21:24] = True  # one pixel apart
    mask[30, 5] = True
    mask &= rng.random((size, size)) < 0.9
    scores = ndimage.gaussian_filter(rng.normal(size=(size, size)), 2) * 6 + mask * rng.random((size, size))
    scores = scores.astype(np.float32)
    return (np.round(scores * levels) / levels if levels else scores), mask


@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_naive_and_scikit_learn(seed, max_fpr, levels):
    scenes = [scene(10 * seed + k, levels=levels) for k in range(3)]
    plain = scene(99, levels=levels)[0]
    metrics = PixelMetrics(max_fpr=max_fpr)
    for scores, mask in scenes:
        metrics.add(scores, mask)
    metrics.add(plain)
    maps, masks = [*(s for s, _ in scenes), plain], [*(m for _, m in scenes), np.zeros(plain.shape, bool)]
    marks, values = np.concatenate([m.ravel() for m in masks]), np.concatenate([m.ravel() for m in maps])
    found = metrics.result()
    assert found.auroc == pytest.approx(roc_auc_score(marks, values), abs=1e-9)
    assert found.average_precision == pytest.approx(average_precision_score(marks, values), abs=1e-9)
    assert found.aupro == pytest.approx(naive_aupro(maps, masks, max_fpr), abs=1e-9)
    assert found.bin_error == 0
    assert (found.n_images, found.n_defect_pixels, found.n_good_pixels) == (4, marks.sum(), (~marks).sum())
    assert found.n_regions == sum(ndimage.label(mask, np.ones((3, 3)))[1] for mask in masks)


def test_grouped_scores_stay_within_a_millionth():
    rng = np.random.default_rng(5)
    exact, grouped = PixelMetrics(limit=10**7), PixelMetrics(limit=2**18)
    for k in range(4):
        mask = ndimage.gaussian_filter(rng.normal(size=(500, 500)), 8) > 0.06
        scores = (rng.lognormal(sigma=0.4, size=mask.shape) + 0.7 * mask).astype(np.float32)
        exact.add(scores, mask if k else None)
        grouped.add(scores, mask if k else None)
    ours, theirs = grouped.result(), exact.result()
    assert ours.bin_error > 0 == theirs.bin_error
    for name in ("auroc", "average_precision", "aupro"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-6)
    assert abs(ours.auroc - theirs.auroc) <= ours.bin_error


def test_types_are_measured_beside_the_good_images():
    (first, mask), (second, other), good = scene(1), scene(2), scene(3)[0]
    metrics = PixelMetrics()
    metrics.add(first, mask, defect_type="dent")
    metrics.add(second, other, defect_type="crack")
    metrics.add(good)
    alone = PixelMetrics()
    alone.add(first, mask)
    alone.add(good)
    assert list(metrics.by_type()) == ["crack", "dent"]
    assert metrics.result("dent") == alone.result()
    with pytest.raises(DataError, match="'scratch'"):
        metrics.result("scratch")


def test_pixels_outside_the_area_of_interest_do_not_count():
    scores, mask = scene(4)
    valid = np.zeros(mask.shape, bool)
    valid[:, 4:] = True
    masked, cut = PixelMetrics(), PixelMetrics()
    scores_with_hole = np.where(valid, scores, np.nan)
    masked.add(scores_with_hole, mask, valid=valid)
    cut.add(scores[:, 4:], mask[:, 4:])
    assert masked.result().auroc == cut.result().auroc
    assert masked.result().n_good_pixels == cut.result().n_good_pixels


def test_undefined_metric_has_a_reason():
    metrics = PixelMetrics()
    assert isinstance(metrics.result().auroc, Undefined)
    metrics.add(np.zeros((4, 4), np.float32))
    found = metrics.result()
    assert isinstance(found.aupro, Undefined) and "add masks" in found.aupro.reason
    assert found.to_dict()["aupro"] is None and found.n_images == 1
    assert isinstance(metrics.curves(), Undefined)
    full = PixelMetrics()
    full.add(np.zeros((4, 4), np.float32), np.ones((4, 4), bool))
    assert "Every pixel" in full.result().auroc.reason


def test_identical_scores_are_worth_a_coin():
    metrics = PixelMetrics()
    mask = np.zeros((10, 10), bool)
    mask[:3, :3] = True
    metrics.add(np.full((10, 10), 2.0, np.float32), mask)
    found = metrics.result()
    assert (found.auroc, found.average_precision) == (0.5, pytest.approx(0.09))
    assert found.aupro == pytest.approx(0.15)


def test_bad_masks_and_maps_raise_a_sentence_and_are_not_counted():
    metrics = PixelMetrics()
    flat = np.zeros((4, 6), np.float32)
    with pytest.raises(DataError, match="mask is 6 × 5 but the image 6 × 4"):
        metrics.add(flat, np.zeros((5, 6), bool))
    with pytest.raises(DataError, match="not finite"):
        metrics.add(np.full((4, 6), np.nan, np.float32))
    with pytest.raises(DataError, match="differ in size"):
        metrics.add(flat, valid=np.ones((2, 2), bool))
    assert metrics.result().n_images == 0
    with pytest.raises(SettingsError, match="AUPRO"):
        PixelMetrics(max_fpr=0)


def test_masks_of_bytes_are_read():
    assert binary_mask(np.array([[0, 255]], np.uint8), (1, 2)).tolist() == [[False, True]]
    assert binary_mask(np.array([[0, 1]]), (1, 2)).tolist() == [[False, True]]
    assert binary_mask(np.zeros((1, 2)), (1, 2)).tolist() == [[False, False]]
    assert binary_mask(np.array([[192, 17, 255]], np.uint8), (1, 3)).tolist() == [[True, False, True]]


def test_a_type_that_is_marked_everywhere_is_measured_beside_the_good_images():
    scores, mask = scene(6)
    metrics = PixelMetrics()
    metrics.add(scores + 10, np.ones(mask.shape, bool), defect_type="everywhere")
    metrics.add(scores, mask, defect_type="part")
    assert metrics.by_type()["everywhere"].auroc.reason.startswith("Every pixel is marked")
    metrics.add(scores)
    assert metrics.by_type()["everywhere"].auroc == 1.0
    assert metrics.result().n_images == 3


def test_curves_agree_with_the_areas():
    scores, mask = scene(6)
    metrics = PixelMetrics(max_fpr=1.0)
    metrics.add(scores, mask)
    curves, found = metrics.curves(points=10**6), metrics.result()
    assert np.trapezoid(curves.roc.y, curves.roc.x) == pytest.approx(found.auroc, abs=1e-12)
    assert np.trapezoid(curves.pro.y, curves.pro.x) == pytest.approx(found.aupro, abs=1e-12)
    assert metrics.curves(points=50).roc.x.size <= 52
