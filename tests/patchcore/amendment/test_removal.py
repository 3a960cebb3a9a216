"""Taking good images out of a model, against a bank filtered by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import read_image
from patchcore.amendment.removal import without_images
from patchcore.errors import Cancelled, SettingsError
from patchcore.patchcore import PatchCore
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from tests.patchcore.conftest import SIDE
from tests.points import by_hand

GONE = (2, 5)


@pytest.fixture(scope="module")
def hashes(model):
    return [record.sha256 for record in model.image_records_]


@pytest.fixture(scope="module")
def rest(good):
    return [pair for number, pair in enumerate(good) if number not in GONE]


@pytest.fixture(scope="module")
def fewer(model, hashes, rest):
    return without_images(model, [hashes[i] for i in GONE], rest)


def test_bank_without_images_is_the_old_bank_without_their_rows(model, fewer, hashes):
    by_rows = model.full_bank_.without_images(set(GONE))
    assert_array_equal(fewer.full_bank_.features, by_rows.features)
    assert_array_equal(fewer.full_bank_.positions, by_rows.positions)
    assert [fewer.image_records_[i].sha256 for i in fewer.full_bank_.images] == [
        hashes[i] for i in by_rows.images
    ]
    assert fewer.full_bank_.total_patches == 6 * 64
    assert fewer.removed_ == tuple(hashes[i] for i in GONE)
    assert len(model.image_records_) == 8  # the model itself is as it was


def test_smaller_shares_are_still_prefixes_and_the_share_in_use_loses_only_its_own_rows(model, hashes, rest):
    small = model.with_coreset(0.1)
    fewer = without_images(small, [hashes[i] for i in GONE], rest)
    assert_array_equal(fewer.bank_.features, small.bank_.without_images(set(GONE)).features)
    assert_array_equal(fewer.bank_.features, fewer.full_bank_.features[: len(fewer.bank_)])
    assert_array_equal(fewer.with_coreset(0.05).bank_.features, fewer.full_bank_.features[:19])


def test_profile_equals_the_scores_of_the_remaining_images(fewer, rest):
    for name, image in rest:
        assert fewer.good_scores_[name] == fewer.score(image, leave_out=True).score
    worst = max(fewer.score(image).score for _, image in rest)
    assert fewer.cover_radius_ == worst
    assert len(fewer.good_scores_) == 6


def test_the_operating_point_is_recalibrated_on_the_rest(model, fewer):
    assert fewer.threshold_ == pytest.approx(max(fewer.good_scores_.values()))
    assert fewer.operating_point_.recalibrated_at and not fewer.operating_point_.stale
    assert fewer.operating_point_.bank_id == fewer.bank_id_ != model.bank_id_
    assert set(fewer.operating_point_.evidence.good) == {r.sha256 for r in fewer.image_records_}


def test_rules_that_cannot_be_applied_again_leave_the_point_stale(model, hashes, rest):
    found = model.evidence_
    labelled = decide(Choice("f1_max"), Evidence(found.good, {"x": 9.0}), model.bank_id_, set_by="Ada")
    hand = by_hand(1.0, found, model.bank_id_, set_by="Ada")
    for point, reason in ((labelled, "defects"), (hand, "by hand")):
        fewer = without_images(model.with_operating_point(point), hashes[:1], rest)
        assert reason in fewer.operating_point_.stale


def test_model_without_images_is_bit_equal_after_saving_and_loading(fewer, bad, tmp_path):
    fewer.save(tmp_path / "x.patchcore")
    loaded = PatchCore.load(tmp_path / "x.patchcore")
    assert loaded.self_test_.passed
    assert loaded.score(bad).score == fewer.score(bad).score
    assert_array_equal(loaded.score(bad).map, fewer.score(bad).map)
    assert (loaded.good_scores_, loaded.threshold_) == (fewer.good_scores_, fewer.threshold_)
    assert (loaded.bank_id_, loaded.removed_) == (fewer.bank_id_, fewer.removed_)


def test_bank_id_differs_from_a_fresh_build_on_the_remaining_images(fewer, rest):
    fresh = PatchCore(image_size=SIDE, coreset=0.5).fit(rest)
    same_size = fresh.with_coreset(len(fewer.bank_) / fresh.bank_.total_patches)
    assert len(same_size.bank_) == len(fewer.bank_)
    assert same_size.bank_id_ != fewer.bank_id_


def test_images_can_be_removed_one_after_the_other(model, fewer, hashes, good, rest):
    first = without_images(model, [hashes[2]], [pair for i, pair in enumerate(good) if i != 2])
    both = without_images(first, [hashes[5]], rest)
    assert_array_equal(both.full_bank_.features, fewer.full_bank_.features)
    assert both.good_scores_ == fewer.good_scores_
    assert both.bank_id_ == fewer.bank_id_


def test_patches_of_removed_images_are_counted_as_they_were(good):
    """Padding and the region of interest take patches out of the count, each image by its own shape."""
    roi = np.zeros((10, 10), bool)
    roi[:, :7] = True
    images = [(name, image[: SIDE - 20 * (i % 2)]) for i, (name, image) in enumerate(good[:4])]
    model = PatchCore(image_size=SIDE, coreset=0.5).fit(images, roi=roi)
    fewer = without_images(model, [read_image(images[1][1]).record.sha256], images)
    alone = PatchCore(image_size=SIDE, coreset=0.5).fit([images[i] for i in (0, 2, 3)], roi=roi)
    assert fewer.full_bank_.total_patches == alone.full_bank_.total_patches < model.full_bank_.total_patches


def test_images_that_cannot_be_scored_again_are_listed(model, hashes, good):
    given = [good[1], ("broken.png", b"no image"), Path("/nowhere.png"), good[3]]
    fewer = without_images(model, [hashes[0]], given)
    assert set(fewer.good_scores_) == {good[1][0], good[3][0]}
    assert {error.name for error in fewer.skipped_} == {good[i][0] for i in (2, 4, 5, 6, 7)}


@pytest.mark.parametrize(
    ("chosen", "given", "sentence"),
    [
        (lambda h: h[:7], True, "at least 2 good images"),
        (lambda h: h, True, "at least 2 good images"),
        (lambda h: ["0" * 64], True, "without 1 of the 1 images to remove"),
        (lambda h: [], True, "No image was named"),
        (lambda h: h[:1], False, "None of the remaining good images could be read"),
    ],
)
def test_impossible_removals_are_refused(model, hashes, good, chosen, given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        without_images(model, chosen(hashes), good if given else [])


def test_progress_and_cancel(model, hashes, rest):
    seen = []
    without_images(model, [hashes[2], hashes[5]], rest, lambda *step: seen.append(step))
    assert seen == [("calibration", done, 6) for done in range(7)]
    with pytest.raises(Cancelled):
        without_images(model, [hashes[2]], rest, cancelled=lambda: True)
