"""Scores and maps against hand-made ones."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage

from patchcore.bank import MemoryBank
from patchcore.images.geometry import Geometry, place, prepare
from patchcore.scoring import anomaly_map, inspected_patches, patch_box, reweighted


def bank_of(*rows):
    features = np.array(rows, np.float32)
    return MemoryBank(
        features, np.zeros(len(rows), np.int32), np.arange(len(rows), dtype=np.int32), len(rows)
    )


def test_equation_7_by_hand():
    bank = bank_of([0, 0], [1, 0], [0, 2], [50, 50])
    patch = np.array([0, -1], np.float32)  # s* = 1 to the first row; N_3 of that row: rows 0, 1, 2
    around = np.exp([1, np.sqrt(2), 3])
    expected = (1 - np.exp(1) / around.sum()) * 1
    assert reweighted(bank, patch, 0, 1.0, 3) == pytest.approx(expected, rel=1e-6)


def test_equation_7_does_not_overflow():
    bank = bank_of([0, 0], [3000, 0])
    score = reweighted(bank, np.array([0, -2000], np.float32), 0, 2000.0, 2)
    assert np.isfinite(score)
    assert 0 <= score <= 2000


def test_a_map_is_resized_then_smoothed():
    placement = place((224, 224), Geometry("stretch", 224))
    patch_scores = np.zeros((28, 28), np.float32)
    patch_scores[10, 20] = 1
    found = anomaly_map(patch_scores, placement)
    assert found.shape == (224, 224)
    assert np.unravel_index(found.argmax(), found.shape) == pytest.approx((83.5, 163.5), abs=1)
    constant = anomaly_map(np.full((28, 28), 3, np.float32), placement)
    assert_allclose(constant, 3, rtol=1e-5)
    nearest = np.kron(patch_scores, np.ones((8, 8), np.float32))
    assert found.max() == pytest.approx(ndimage.gaussian_filter(nearest, 4).max(), rel=0.25)


def test_smoothing_grows_with_the_input():
    wide = [
        (anomaly_map(one_hot(size // 8), place((size, size), Geometry("fit", size))) > 0.05).sum() / size**2
        for size in (224, 448)
    ]
    assert wide[1] < wide[0]


def one_hot(side):
    grid = np.zeros((side, side), np.float32)
    grid[side // 2, side // 2] = 1
    return grid


def test_uninspected_patches_do_not_bleed_into_the_map():
    roi = np.zeros((100, 100), bool)
    roi[:, :50] = True
    prepared = prepare(np.zeros((100, 100, 3), np.float32), Geometry("fit", 64), roi)
    inspected = inspected_patches(prepared.valid, (8, 8))
    assert inspected[:, :4].all()
    assert not inspected[:, 4:].any()
    patch_scores = np.where(inspected, np.float32(2), np.float32(np.nan))
    found = anomaly_map(patch_scores, prepared.placement)
    assert_allclose(found[:, :49], 2, rtol=1e-5)
    assert not found[:, 51:].any()


def test_padding_is_not_inspected():
    prepared = prepare(np.zeros((32, 64, 3), np.float32), Geometry("fit", 64))
    inspected = inspected_patches(prepared.valid, (8, 8))
    assert inspected[2:6].all()
    assert inspected.sum() == 32


def test_a_roi_smaller_than_half_a_patch_still_has_a_patch():
    roi = np.zeros((64, 64), bool)
    roi[30:32, 33:35] = True
    prepared = prepare(np.zeros((64, 64, 3), np.float32), Geometry("fit", 64), roi)
    assert inspected_patches(prepared.valid, (8, 8)).sum() >= 1


def test_the_box_of_a_patch_is_its_neighbourhood_in_the_originals_pixels():
    placement = place((448, 448), Geometry("fit", 224))
    assert patch_box((10, 3), (28, 28), placement) == (32, 144, 80, 192)
    assert patch_box((0, 0), (28, 28), placement) == (0, 0, 32, 32)
