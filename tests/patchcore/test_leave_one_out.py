"""Leave-one-image-out scores against really searching without the image's rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from patchcore.bank import MemoryBank
from patchcore.images.copy_groups import CopyGroups
from patchcore.kernels import nested_sweep
from patchcore.kernels.nested_sweep import Patches
from patchcore.labels.sessions import SessionGroups
from patchcore.leave_one_out import score_by_groups, score_good_images
from tests.patchcore.adversarial import KINDS, features
from tests.patchcore.greedy import greedy_order

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


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_radius_at_every_size_equal_a_search_without_the_image_bit_for_bit(kind, monkeypatch):
    good = features(kind, IMAGES * 20, DIMS).reshape(IMAGES, 20, DIMS)
    order = np.random.default_rng(1).permutation(IMAGES * 20)[:70]
    numbers, positions = (order // 20).astype(np.int32), (order % 20).astype(np.int32)
    bank = MemoryBank(good.reshape(-1, DIMS)[order], numbers, positions, IMAGES * 20)
    monkeypatch.setattr(nested_sweep, "ROWS_AT_FIRST", 8)
    monkeypatch.setattr(nested_sweep, "FOLLOWED", (1, 2))
    with np.errstate(over="ignore", invalid="ignore"):
        profile = score_good_images(bank, enumerate(good))
        for rows in range(1, 71):
            part = bank.rows(slice(rows))
            expected = [searched(part.without_images({i}), good[i]) for i in range(IMAGES)]
            assert_array_equal(profile.at(rows), np.array(expected, np.float32))
            assert profile.cover_radius[rows - 1] == searched(part, good.reshape(-1, DIMS))


def test_a_session_left_out_equals_the_bank_without_its_images_bit_for_bit(bank, good):
    copies = CopyGroups.of(["k", "", "", "k", "", ""])  # images 0 and 3, of two sessions, are copies
    sessions = SessionGroups.of(["a", "a", "b", "b", "c", "c"], copies)
    alone, unseen = score_by_groups(bank, enumerate(good), [copies, sessions])
    assert_array_equal(alone.values, score_good_images(bank, enumerate(good), groups=copies).values)
    gone = [{0, 1, 3}, {0, 1}, {2, 3}, {2, 3, 0}, {4, 5}, {4, 5}]
    for rows in (5, 30, 120):
        part = bank.rows(slice(rows))
        expected = [searched(part.without_images(numbers), good[i]) for i, numbers in enumerate(gone)]
        assert_array_equal(unseen.at(rows), np.array(expected, np.float32))


@pytest.mark.parametrize(("at_once", "ahead"), [(1024, 16), (16, 1), (4, 3), (1, 1)])
def test_scores_of_a_greedy_bank_equal_a_search_without_the_image_bit_for_bit(
    at_once, ahead, bank, good, monkeypatch
):
    monkeypatch.setattr(nested_sweep, "ROWS_AT_FIRST", at_once)
    monkeypatch.setattr(nested_sweep, "FOLLOWED", (ahead, ahead))
    profile = score_good_images(bank, enumerate(good))
    for rows in (2, 5, 30, 119, 120):
        part = bank.rows(slice(rows))
        expected = [searched(part.without_images({i}), good[i]) for i in range(IMAGES)]
        assert_array_equal(profile.at(rows), np.array(expected, np.float32))
        assert profile.cover_radius[rows - 1] == searched(part, good.reshape(-1, DIMS))


def searched(bank, patches):
    return bank.nearest(patches).distances.max() if len(bank) else np.float32(np.inf)


def test_scores_and_radius_never_rise_with_the_bank(bank, good):
    profile = score_good_images(bank, enumerate(good))
    assert (np.diff(profile.cover_radius) <= 0).all()
    for image in range(IMAGES):
        steps = profile.values[profile.offsets[image] : profile.offsets[image + 1]]
        assert (np.diff(steps[np.isfinite(steps)]) < 0).all()


def test_image_alone_in_the_bank_has_an_infinite_score(good):
    bank = MemoryBank(good[0], np.zeros(PATCHES, np.int32), np.arange(PATCHES, dtype=np.int32), PATCHES)
    assert score_good_images(bank, [(0, good[0])]).at(PATCHES) == [np.inf]


def test_scoring_a_sample_reports_progress(bank, good):
    seen = []
    profile = score_good_images(bank, [(4, good[4]), (1, good[1])], seen.append)
    whole = score_good_images(bank, enumerate(good))
    assert list(profile.images) == [4, 1]
    assert_allclose(profile.at(60), whole.at(60)[[4, 1]])
    assert seen == [1, 2]


def test_most_patches_are_dropped_early_where_few_are_far(monkeypatch):
    random = np.random.default_rng(2)
    size = np.where(np.arange(PATCHES) % 10 == 0, 1.0, 0.05)[:, None]  # every tenth patch is unlike any other
    good = (size * random.standard_normal((IMAGES, PATCHES, DIMS))).astype(np.float32)
    chosen = random.permutation(IMAGES * PATCHES).astype(np.int32)[:120]
    bank = MemoryBank(
        good.reshape(-1, DIMS)[chosen], *np.divmod(chosen, PATCHES), total_patches=IMAGES * PATCHES
    )
    pairs, real = [], Patches.meet

    def meet(patches, rows, own, part, chosen, *rest):
        pairs.append(len(chosen) * len(own[part]))
        return real(patches, rows, own, part, chosen, *rest)

    monkeypatch.setattr(Patches, "meet", meet)
    monkeypatch.setattr(nested_sweep, "ROWS_AT_FIRST", 8)
    monkeypatch.setattr(nested_sweep, "FOLLOWED", (1, 1))
    score_good_images(bank, enumerate(good))
    assert sum(pairs) < 0.4 * good.shape[0] * PATCHES * len(bank)


def test_remaining_patches_are_as_far_as_the_followed_ones(monkeypatch):
    monkeypatch.setattr(nested_sweep, "FOLLOWED", (1, 1))
    squares = np.array([9.0, 4.0, 1.0, 2.25])
    patches = Patches(*(np.zeros((4, 2), np.float32) for _ in range(3)), squares, squares[::-1].copy())
    assert list(patches.farthest()) == [0, 3]
    assert patches.largest(np.array([1, 2])) == (4, 4)
    # from all rows: 9 and 4 are at least 4; from other images' rows: 4 and 9, the last two, are at least 2.5
    assert list(patches.may_count(np.arange(4), (4, 2.5))) == [3, 2, 0, 1]
    assert list(patches.may_count(np.array([1, 2, 0]), (5, 3))) == [2, 0]
    assert list(patches.may_count(np.arange(4), (5, 9.5))) == [0]
