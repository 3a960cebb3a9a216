"""Teaching images, against banks with rows appended by hand and searches with own rows left out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import accepted_within, unfamiliar, with_taught
from patchcore.bank import MemoryBank
from patchcore.detector import Detector
from patchcore.errors import ArtifactError, Cancelled, SettingsError
from patchcore.evaluation.sweep import default_shares, sweep
from patchcore.files import container
from patchcore.reports.inspector_facts import inspector_facts
from patchcore.thresholds.decision import recalibrate
from tests.patchcore.conftest import stripes
from tests.points import by_hand


@pytest.fixture(scope="module")
def spotted():
    """Parts with a soft dark spot, which a person calls fine."""
    images = []
    for seed, (row, column) in ((200, (12, 30)), (201, (36, 8))):
        image = stripes(seed)
        image[row : row + 14, column : column + 14] //= 2
        images.append((f"spot/{seed}.png", image))
    return images


@pytest.fixture(scope="module")
def small(model):
    return model.with_coreset(0.1)


@pytest.fixture(scope="module")
def wiser(small, spotted, good):
    return with_taught(small, spotted[:1], good)


def farthest_first(features, bank, radius):
    """Greedy k-centre as one would write it down, every distance measured anew."""
    rows, chosen = list(bank.features), []
    while True:
        distances = np.array([min(np.linalg.norm(f.astype(np.float64) - r) for r in rows) for f in features])
        worst = int(distances.argmax())
        if distances[worst] <= radius:
            return chosen
        chosen.append(worst)
        rows.append(features[worst].astype(np.float64))


def test_taught_patches_equal_a_naive_greedy_choice_down_to_the_radius():
    rng = np.random.default_rng(0)
    features, rows = (rng.standard_normal((count, 6)).astype(np.float32) for count in (40, 25))
    bank = MemoryBank(rows, np.zeros(25, np.int32), np.arange(25, dtype=np.int32), 25)
    for radius in (0.0, 0.9, 1.5, 10.0):
        assert unfamiliar(features, bank, radius).tolist() == farthest_first(features, bank, radius)


def test_taught_image_is_accepted_and_none_of_its_patches_lies_beyond_the_radius(small, wiser, spotted):
    name, image = spotted[0]
    before, after = small.score(image), wiser.score(image)
    radius = min(small.cover_radius_, small.operating_point_.accept)
    assert before.score > small.operating_point_.reject
    assert after.score <= wiser.operating_point_.accept
    assert after.score <= radius
    assert wiser.explain(image).neighbour_image in {name, *(r.name for r in small.image_records_)}


def test_taught_model_scores_as_a_bank_with_the_rows_appended_bit_for_bit(small, wiser, spotted, good, bad):
    taught = wiser.full_bank_.taught
    rows = wiser.full_bank_.rows(slice(taught))
    naive = replace(
        small.bank_,
        **{
            part: np.concatenate([getattr(small.bank_, part), getattr(rows, part)])
            for part in ("features", "images", "positions")
        },
    )
    for image in (bad, spotted[0][1], spotted[1][1], good[3][1]):
        features = small.patches(image).features
        expected = naive.nearest(features).distances
        assert_array_equal(wiser.bank_.nearest(features).distances, expected)
        assert wiser.score(image).score == expected.max()
    patches = small.patches(spotted[0][1])
    assert_array_equal(rows.features, patches.features[rows.positions])  # nothing of the image is padding


def test_every_share_holds_the_taught_rows_and_is_a_prefix_of_the_larger(model, wiser):
    taught = wiser.full_bank_.taught
    assert taught > 0
    assert_array_equal(wiser.full_bank_.features[taught:], model.full_bank_.features)
    for share in (0.002, 0.05, 0.1, 0.5):
        sliced, plain = wiser.with_coreset(share).bank_, model.with_coreset(share).bank_
        assert sliced.taught == taught
        assert sliced.share == plain.share
        assert len(sliced) == taught + len(plain)
        assert_array_equal(sliced.features, wiser.full_bank_.features[: len(sliced)])
    with pytest.raises(SettingsError, match="needs a rebuild"):
        wiser.with_coreset(0.51)


def test_profile_and_evidence_hold_only_images_that_the_bank_was_built_from(small, wiser, good, spotted):
    for share in (0.01, 0.5):
        sliced, before = wiser.with_coreset(share), small.with_coreset(share)
        for name, image in good:
            assert sliced.good_scores_[name] == sliced.score(image, leave_out=True).score
            assert sliced.good_scores_[name] <= before.good_scores_[name]
        assert sliced.cover_radius_ == max(sliced.score(image).score for _, image in good)
    assert len(wiser.good_scores_) == len(wiser.evidence_.good) == len(good)
    taught = set(wiser.taught_)
    assert len(taught) == 1 and not taught & wiser.evidence_.good.keys()
    assert wiser.operating_point_.evidence == wiser.evidence_
    assert wiser.operating_point_.reject <= small.operating_point_.reject


def test_teaching_leaves_the_given_model_unchanged(small, model, bad, spotted, good):
    before = (small.bank_id_, small.score(bad).score, small.score(spotted[1][1]).score, small.good_scores_)
    with_taught(small, spotted, good)
    assert before == (
        small.bank_id_,
        small.score(bad).score,
        small.score(spotted[1][1]).score,
        small.good_scores_,
    )
    assert small.full_bank_ is model.full_bank_ and len(small.image_records_) == len(good)


@pytest.mark.parametrize("rows", [-1, 7, 10**6])
def test_a_file_whose_count_of_taught_rows_does_not_fit_is_refused(wiser, rows, tmp_path):
    tensors, header = wiser.arrays_and_header()
    assert header["taught_rows"] == wiser.full_bank_.taught != 7
    container.write(tmp_path / "x.patchcore", tensors, {**header, "taught_rows": rows})
    with pytest.raises(ArtifactError, match="taught rows stand before"):
        Detector.load(tmp_path / "x.patchcore")


def test_its_facts_tell_taught_images_from_the_others(wiser, small):
    facts = {fact.label: fact.value for fact in inspector_facts(wiser)}
    assert (facts["Good images"], facts["Taught"]) == ("8", f"1 image, {wiser.bank_.taught} rows")
    assert "Taught" not in {fact.label for fact in inspector_facts(small)}


def test_a_bank_is_known_by_its_taught_rows(small, wiser, spotted, good):
    other = with_taught(small, spotted[1:], good)
    both = with_taught(wiser, spotted[1:], good)
    assert len({small.bank_id_, wiser.bank_id_, other.bank_id_, both.bank_id_}) == 4
    assert both.taught_ == (*wiser.taught_, *other.taught_)
    assert_array_equal(both.bank_.features[: wiser.bank_.taught], wiser.bank_.features[: wiser.bank_.taught])


def test_removing_a_taught_image_restores_the_earlier_scores(small, wiser, good, spotted, bad):
    back = without_images(wiser, wiser.taught_, good)
    assert back.full_bank_.taught == 0
    assert (back.bank_id_, back.removed_) == (small.bank_id_, ())
    assert_array_equal(back.full_bank_.features, small.full_bank_.features)
    assert_array_equal(back.score(bad).map, small.score(bad).map)
    assert back.good_scores_ == small.good_scores_
    assert back.operating_point_.reject == small.operating_point_.reject


def test_removing_a_built_image_keeps_the_taught_rows(small, wiser, good):
    gone = wiser.image_records_[2].sha256
    fewer = without_images(wiser, [gone], [pair for i, pair in enumerate(good) if i != 2])
    plain = without_images(small, [gone], [pair for i, pair in enumerate(good) if i != 2])
    assert (fewer.taught_, fewer.full_bank_.taught) == (wiser.taught_, wiser.full_bank_.taught)
    assert fewer.full_bank_.total_patches == plain.full_bank_.total_patches
    assert fewer.bank_.built == plain.bank_.built
    with pytest.raises(SettingsError, match="at least 2 good images; removing 7 of 8"):
        without_images(wiser, [record.sha256 for record in wiser.image_records_[:7]], good)


def test_falling_threshold_adds_rows_until_the_image_is_accepted(small, spotted, good):
    """Thresholds that fall with the bank, as a steep rule would have it."""
    bars = iter((0.5, 0.4))
    turns = []

    def follow(taught):
        turns.append(taught.full_bank_.taught)
        bar = next(bars, 0.4) * small.cover_radius_
        return by_hand(bar, taught.evidence_, taught.bank_id_, set_by="Ada")

    wiser = with_taught(small, spotted[:1], good, follow=follow)
    assert len(turns) > 1 and turns == sorted(set(turns))
    assert wiser.score(spotted[0][1]).score <= wiser.operating_point_.accept


def test_an_image_judged_by_area_shows_no_region_afterwards(small, spotted, good):
    pixel = 0.3 * small.operating_point_.reject
    point = by_hand(9.0, small.evidence_, small.bank_id_, set_by="Ada", pixel=pixel, judge_by="area")
    strict = small.with_operating_point(point)
    assert point.regions(small.score(spotted[0][1]).map)

    def follow(taught):
        return replace(point, bank_id=taught.bank_id_)

    wiser = with_taught(strict, spotted[:1], good, follow=follow)
    assert not wiser.operating_point_.regions(wiser.score(spotted[0][1]).map)
    assert accepted_within(point) == pytest.approx(0.99 * pixel)


def test_a_point_set_by_hand_is_stale_and_says_so(small, spotted, good):
    hand = by_hand(small.operating_point_.reject, small.evidence_, small.bank_id_, set_by="Ada")
    wiser = with_taught(small.with_operating_point(hand), spotted[:1], good)
    assert "by hand" in wiser.operating_point_.stale
    assert recalibrate(hand, wiser.evidence_, wiser.bank_id_).stale == wiser.operating_point_.stale


def test_an_image_may_be_taught_again_where_a_larger_bank_is_stricter(wiser, spotted, good):
    larger = wiser.with_coreset(0.5)
    assert larger.score(spotted[0][1]).score > larger.cover_radius_
    again = with_taught(larger, spotted[:1], good)
    assert again.full_bank_.taught > wiser.full_bank_.taught
    assert again.taught_ == wiser.taught_


def test_shares_of_the_sweep_do_not_count_taught_rows(model, wiser):
    assert default_shares(wiser) == default_shares(model.with_coreset(0.1))
    points = sweep(wiser, [], [0.05, 0.1])
    assert [point.rows for point in points] == [wiser.full_bank_.taught + rows for rows in (25, 51)]
    assert [point.in_use for point in points] == [False, True]


def test_impossible_teaching_is_refused(wiser, small, good, spotted):
    with pytest.raises(SettingsError, match="was built from"):
        with_taught(small, [good[0]], good)
    with pytest.raises(SettingsError, match="nothing to teach"):
        with_taught(wiser, spotted[:1], good)
    with pytest.raises(SettingsError, match="No image was named"):
        with_taught(small, [], good)
    with pytest.raises(Cancelled):
        with_taught(small, spotted[:1], good, cancelled=lambda: True)


def test_progress_is_reported_and_unscorable_images_are_listed(small, spotted, good):
    seen = []
    wiser = with_taught(small, spotted[:1], good[:5], lambda *step: seen.append(step))
    assert seen == [("calibration", done, 8) for done in range(6)]
    assert {error.name for error in wiser.skipped_} == {name for name, _ in good[5:]}
    assert len(wiser.good_scores_) == 5
