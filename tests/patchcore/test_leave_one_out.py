"""Leave-one-image-out scores against really searching without the image's rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from patchcore.bank import MemoryBank
from patchcore.coreset import greedy_order
from patchcore.leave_one_out import score_good_images

IMAGES, PATCHES, DIMS = 6, 50, 8


@pytest.fixture(scope="module")
def good():
    return np.random.default_rng(0).standard_normal((IMAGES, PATCHES, DIMS)).astype(np.float32)


@pytest.fixture(scope="module")
def bank(good):
    order = greedy_order(good.reshape(-1, DIMS), 120)
    rows = good.reshape(-1, DIMS)[order]
    return MemoryBank(
        rows, (order // PATCHES).astype(np.int32), (order % PATCHES).astype(np.int32), IMAGES * PATCHES
    )


@pytest.mark.parametrize("rows", [2, 5, 30, 119, 120])
def test_scores_at_every_size_equal_a_search_without_the_image(bank, good, rows):
    profile = score_good_images(bank, enumerate(good))
    part = bank.rows(slice(rows))
    for image, score in enumerate(profile.at(rows)):
        others = part.without_images({image})
        expected = others.nearest(good[image]).distances.max() if len(others) else np.inf
        assert score == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rows", [1, 7, 120])
def test_cover_radius_is_the_largest_distance_of_any_patch(bank, good, rows):
    profile = score_good_images(bank, enumerate(good))
    expected = bank.rows(slice(rows)).nearest(good.reshape(-1, DIMS)).distances.max()
    assert profile.cover_radius[rows - 1] == pytest.approx(expected, rel=1e-4)


def test_scores_and_radius_never_rise_with_the_bank(bank, good):
    profile = score_good_images(bank, enumerate(good))
    assert (np.diff(profile.cover_radius) <= 0).all()
    for image in range(IMAGES):
        steps = profile.values[profile.offsets[image] : profile.offsets[image + 1]]
        assert (np.diff(steps[np.isfinite(steps)]) <= 1e-6).all()


def test_an_image_alone_in_the_bank_has_no_score(good):
    bank = MemoryBank(good[0], np.zeros(PATCHES, np.int32), np.arange(PATCHES, dtype=np.int32), PATCHES)
    assert score_good_images(bank, [(0, good[0])]).at(PATCHES) == [np.inf]


def test_only_some_images_and_progress(bank, good):
    seen = []
    profile = score_good_images(bank, [(4, good[4]), (1, good[1])], seen.append)
    whole = score_good_images(bank, enumerate(good))
    assert list(profile.images) == [4, 1]
    assert_allclose(profile.at(60), whole.at(60)[[4, 1]])
    assert seen == [1, 2]
