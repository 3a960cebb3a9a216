"""SPADE against its two searches written out naively, and from build to file and back."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import SPADE, read_image
from patchcore.detector import Detector
from patchcore.errors import DataError, PatchCoreError, SettingsError
from patchcore.features import deepest_part, patch_features
from patchcore.files.distrust import read_untrusted
from tests.patchcore.conftest import SIDE
from tests.patchcore.hostile import relisted, rewritten

K = 3


@pytest.fixture(scope="module")
def spade(good):
    return SPADE(image_size=SIDE, nearest_images=K).fit(good)


def features_of(model, image):
    found = patch_features(model.backbone_, read_image(image).pixels)
    return found.reshape(-1, found.shape[2])


def naive(learned, tested, deepest):
    """Patch distances [P] and the image distance of [P, dims] from [images, P, dims]."""
    learned, tested = learned.astype(np.float64), tested.astype(np.float64)
    pooled = learned[:, :, deepest:].mean(1)
    away = np.linalg.norm(pooled - tested[:, deepest:].mean(0), axis=1)
    nearest = np.argsort(away)[:K]
    patches = learned[nearest].reshape(-1, learned.shape[2])
    distances = np.sqrt(((tested[:, None] - patches[None]) ** 2).sum(2)).min(1)
    return distances, away[nearest].mean()


def test_both_searches_equal_the_naive_ones(spade, good, bad):
    learned = np.stack([features_of(spade, image) for _, image in good])
    distances, away = naive(learned, features_of(spade, bad), 48)
    result = spade.score(bad)
    assert result.patch_scores.ravel() == pytest.approx(distances, rel=1e-5)
    assert result.score == pytest.approx(distances.max(), rel=1e-5)
    assert result.figures["image_distance"] == pytest.approx(away, rel=1e-5)


def test_the_deepest_layer_is_the_end_of_a_feature(spade):
    assert spade.deepest_ == 48  # block 6 has 48 channels and block 14 has 120
    assert deepest_part(spade.backbone_, SIDE, 21) == 11  # the eleventh number reads both layers


def test_with_more_neighbours_than_images_all_of_them_are_searched(good, bad):
    model = SPADE(image_size=SIDE).fit(good)
    every = np.concatenate([features_of(model, image) for _, image in good]).astype(np.float64)
    tested = features_of(model, bad).astype(np.float64)
    nearest = np.sqrt(((tested[:, None] - every[None]) ** 2).sum(2)).min(1)
    assert model.score(bad).patch_scores.ravel() == pytest.approx(nearest, rel=1e-5)


def test_leave_one_out_scores_equal_refitting_without_the_image(spade, good):
    for number in (0, 4, 7):
        name, image = good[number]
        rest = SPADE(image_size=SIDE, nearest_images=K).fit(good[:number] + good[number + 1 :])
        expected, left_out = rest.score(image), spade.score(image, leave_out=True)
        assert spade.good_scores_[name] == left_out.score == expected.score
        assert left_out.figures == expected.figures
        assert_array_equal(left_out.patch_scores, expected.patch_scores)
        assert spade.score(image).score == 0


def test_without_faiss_the_same_images_are_found(spade, good, bad, monkeypatch):
    expected = spade.score(bad)
    monkeypatch.setitem(sys.modules, "faiss", None)
    found = spade.score(bad)
    assert (found.score, found.figures) == (expected.score, expected.figures)
    assert found.map.tobytes() == expected.map.tobytes()


def test_the_explanation_names_a_patch_at_the_distance_of_the_score(spade, good, bad):
    result = spade.score(bad)
    why = spade.explain(result)
    number, position = spade.origin(result.nearest_row)
    assert why.neighbour_image == good[number][0] and why.distance == pytest.approx(result.score)
    patch = features_of(spade, good[number][1])[position]
    tested = features_of(spade, bad).reshape(8, 8, -1)[result.worst]
    assert np.linalg.norm(patch - tested) == pytest.approx(result.score, rel=1e-5)


def test_patches_outside_the_region_are_not_kept(good, bad):
    roi = np.zeros((SIDE, SIDE), bool)
    roi[:, :32] = True
    model = SPADE(image_size=SIDE).fit(good, roi=roi)
    assert len(model.features_) == 8 * 32 and (model.positions_ % 8 < 4).all()
    assert np.isnan(model.score(bad).patch_scores[:, 4:]).all()


def test_one_image_gives_a_model_but_no_threshold(good, bad):
    model = SPADE(image_size=SIDE).fit(good[:1])
    assert model.threshold_ is None and model.score(bad).score > 0
    with pytest.raises(DataError, match=r"^image: it is the only good image|the only good image"):
        model.score(good[0][1], leave_out=True)


def test_the_size_of_the_file_is_told_before_the_build(good, tmp_path):
    model = SPADE(image_size=SIDE)
    estimated = model.estimated_bytes(len(good))
    assert "SPADE keeps every patch of the 8 good images" in model.announcement(len(good))
    model.fit(good).save(tmp_path / "x.patchcore")
    parts, _ = model.learned()
    assert estimated == sum(parts[f"spade.{name}"].nbytes for name in ("features", "images", "positions"))
    check = model.picture_check_.patches.features.nbytes + model.picture_check_.distances.nbytes
    assert estimated < (tmp_path / "x.patchcore").stat().st_size < 1.2 * estimated + check


def test_the_first_threshold_rejects_no_good_image_and_does_reject_the_defect(spade, bad):
    assert spade.threshold_ == pytest.approx(max(spade.good_scores_.values()))
    assert spade.score(bad).score > spade.threshold_


def test_save_and_load_are_bit_equal(spade, bad, tmp_path):
    spade.save(tmp_path / "x.patchcore")
    loaded = Detector.load(tmp_path / "x.patchcore")
    assert isinstance(loaded, SPADE) and loaded.self_test_.difference == 0
    ours, theirs = spade.score(bad), loaded.score(bad)
    assert (ours.score, ours.figures) == (theirs.score, theirs.figures)
    assert ours.map.tobytes() == theirs.map.tobytes()
    assert (loaded.bank_id_, loaded.good_scores_) == (spade.bank_id_, spade.good_scores_)
    assert read_untrusted(tmp_path / "x.patchcore", Detector.load)[0].score(bad).score == ours.score


def test_spade_explains_but_keeps_no_coreset(spade):
    assert spade.capabilities == {"explain"}
    with pytest.raises(SettingsError, match="SPADE keeps no coreset"):
        spade.with_coreset(0.1)


def spoilt(name, change):
    return lambda path: rewritten(path, lambda tensors, header: change(tensors[name]))


HOSTILE = {
    "not_a_number": (spoilt("spade.features", lambda a: a.__setitem__((0, 0), np.nan)), "finite number"),
    "beyond_all_scores": (spoilt("spade.features", lambda a: a.__setitem__((0, 0), 1e30)), "no larger than"),
    "negative_image": (spoilt("spade.images", lambda a: a.__setitem__(0, -1)), "listed image has patches"),
    "image_beyond": (spoilt("spade.images", lambda a: a.__setitem__(-1, 99)), "listed image has patches"),
    "position_beyond": (spoilt("spade.positions", lambda a: a.__setitem__(0, 10**6)), "is on the map"),
    "position_twice": (spoilt("spade.positions", lambda a: a.__setitem__(1, a[0])), "each position once"),
    "out_of_order": (
        spoilt("spade.images", lambda a: a.__setitem__(slice(None), a[::-1].copy())),
        "image by",
    ),
    "endless_score": (spoilt("good_scores.values", lambda a: a.fill(np.inf)), "image is alone"),
    "negative_score": (spoilt("good_scores.values", lambda a: a.fill(-1)), "negative or no number"),
    "self_test": (spoilt("self_test.distances", lambda a: a.__imul__(2)), "the builder's machine"),
    "no_features": (lambda p: rewritten(p, lambda t, h: t.pop("spade.features")), "has no spade.features"),
    "deepest_beyond": (lambda p: rewritten(p, lambda t, h: h.update(deepest=168)), "deepest layer"),
    "deepest_is_true": (lambda p: rewritten(p, lambda t, h: h.update(deepest=True)), "deepest layer"),
    "deepest_missing": (lambda p: rewritten(p, lambda t, h: h.pop("deepest")), "deepest"),
    "rows_missing": (
        lambda p: rewritten(p, lambda t, h: t.update({"spade.images": t["spade.images"][:-1]})),
        "its image and position",
    ),
    "other_numbers": (
        lambda p: rewritten(p, lambda t, h: t.update({"spade.features": t["spade.features"].astype(float)})),
        "spade.features must be F32",
    ),
    "huge_shape": (
        lambda p: relisted(p, lambda listed: listed["spade.features"].update(shape=[10**9, 10**4])),
        "declared as 1000000000 x 10000",
    ),
    "no_neighbours": (
        lambda p: rewritten(p, lambda t, h: h["settings"].update(nearest_images=0)),
        "The number of nearest images must be",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_with_the_reason(spade, tmp_path, kind):
    spoil, reason = HOSTILE[kind]
    spade.save(tmp_path / "x.patchcore")
    spoil(tmp_path / "x.patchcore")
    with pytest.raises(PatchCoreError, match=reason):
        read_untrusted(tmp_path / "x.patchcore", Detector.load)
