"""PaDiM against Gaussians written out naively, and from build to file and back."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import PaDiM, read_image
from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import with_taught
from patchcore.detector import Detector
from patchcore.errors import ArtifactError, DataError, NoImagesError, PatchCoreError, SettingsError
from patchcore.features import patch_features
from patchcore.files import container
from patchcore.files.distrust import read_untrusted
from tests.patchcore.conftest import SIDE, stripes
from tests.patchcore.hostile import relisted, rewritten


@pytest.fixture(scope="module")
def padim(good):
    return PaDiM(image_size=SIDE, dims_used=12).fit(good)


def features_of(model, image):
    """[positions, dims_used] float64, of an image at the input's size."""
    found = patch_features(model.backbone_, read_image(image).pixels)
    return found.reshape(-1, found.shape[2])[:, model.dims_].astype(np.float64)


def drawn(model, image):
    """[P, dims_used] float64, of an image of any size: its inspected patches."""
    return model.patches(image).features[:, model.dims_].astype(np.float64)


def naive_distances(learned, tested):
    """Mahalanobis distances [positions] of [positions, d] from Gaussians of [images, positions, d]."""
    found = []
    for position, vector in enumerate(tested):
        vectors = learned[:, position]
        covariance = np.cov(vectors, rowvar=False) + 0.01 * np.eye(vectors.shape[1])
        away = vector - vectors.mean(0)
        found.append(np.sqrt(away @ np.linalg.solve(covariance, away)))
    return np.array(found)


def test_distances_equal_gaussians_written_out_naively(padim, good, bad):
    learned = np.stack([features_of(padim, image) for _, image in good])
    naive = naive_distances(learned, features_of(padim, bad))
    result = padim.score(bad)
    assert result.patch_scores.ravel() == pytest.approx(naive, rel=1e-5)
    assert result.score == pytest.approx(naive.max(), rel=1e-5)
    assert result.worst == divmod(int(naive.argmax()), 8)
    assert (result.nearest_row, dict(result.figures)) == (None, {})


def test_all_dimensions_equal_the_naive_gaussians_too(good, bad):
    model = PaDiM(image_size=32, dims_used=None).fit([image for _, image in good])
    assert_array_equal(model.dims_, np.arange(168))
    small = bad[::2, ::2]
    learned = np.stack([drawn(model, image) for _, image in good])
    naive = naive_distances(learned, drawn(model, small))
    assert model.score(small).patch_scores.ravel() == pytest.approx(naive, rel=1e-5)


def test_the_seed_draws_the_dimensions(padim, good):
    again, other = (PaDiM(image_size=SIDE, dims_used=12, seed=seed).fit(good[:3]) for seed in (0, 1))
    assert_array_equal(again.dims_, padim.dims_)
    assert len(set(padim.dims_.tolist())) == 12 and (np.diff(padim.dims_) > 0).all()
    assert other.dims_.tolist() != padim.dims_.tolist()


def test_leave_one_out_scores_equal_refitting_without_the_image(padim, good):
    for number in (0, 3, 7):
        name, image = good[number]
        rest = PaDiM(image_size=SIDE, dims_used=12).fit(good[:number] + good[number + 1 :])
        expected = rest.score(image)
        assert padim.good_scores_[name] == pytest.approx(expected.score, rel=1e-5)
        left_out = padim.score(image, leave_out=True)
        assert left_out.score == padim.good_scores_[name] > padim.score(image).score
        assert left_out.patch_scores == pytest.approx(expected.patch_scores, rel=1e-5)


def test_an_image_of_another_shape_takes_the_gaussian_of_the_nearest_position_that_has_one(good, bad):
    wide = [(name, image[16:48]) for name, image in good[:4]]  # rows 2 to 5 of the map are inspected
    model = PaDiM(image_size=SIDE, dims_used=6).fit([*wide, good[5]])
    counts = model.gaussians_.counts.reshape(8, 8)
    assert set(counts[2:6].ravel()) == {5} and set(counts[[0, 1, 6, 7]].ravel()) == {1}
    assert "32 positions of the map were inspected in one good image only" in model.remarks_[-1]
    result = model.score(bad)
    assert result.figures == {"borrowed_patches": 32.0}
    first_row = [drawn(model, image)[:8] for _, image in wide] + [drawn(model, good[5][1])[16:24]]
    at_edge = naive_distances(np.stack(first_row), drawn(model, bad)[:8])
    assert result.patch_scores[0] == pytest.approx(at_edge, rel=1e-5)
    assert np.isfinite(list(model.good_scores_.values())).all()


def test_leaving_out_the_only_image_of_a_position_equals_refitting(good):
    wide = [(name, image[16:48]) for name, image in good[:3]]
    both = [*wide, good[5], good[6]]  # two square images: with one left out, its edge has one vector
    model = PaDiM(image_size=SIDE, dims_used=6).fit(both)
    refitted = PaDiM(image_size=SIDE, dims_used=6).fit([*wide, good[6]])
    expected = refitted.score(good[5][1])
    found = model.score(good[5][1], leave_out=True)
    assert found.patch_scores == pytest.approx(expected.patch_scores, rel=1e-5)
    assert found.figures == expected.figures == {"borrowed_patches": 32.0}


def test_patches_outside_the_region_take_no_part(good, bad):
    roi = np.zeros((SIDE, SIDE), bool)
    roi[:, :32] = True
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    model = PaDiM(image_size=SIDE, dims_used=6).fit(good, roi=roi)
    assert set(model.gaussians_.counts.reshape(8, 8)[:, 4:].ravel()) == {0}
    noisy = np.where(roi[..., None], bad, noise)
    assert model.score(bad).score == model.score(noisy).score
    assert np.isnan(model.score(bad).patch_scores[:, 4:]).all()


def test_one_good_image_is_too_few_and_two_give_no_threshold(good, bad):
    with pytest.raises(NoImagesError, match="PaDiM needs at least 2 good images; 1 could be used"):
        PaDiM(image_size=SIDE).fit(good[:1])
    model = PaDiM(image_size=SIDE, dims_used=6).fit(good[:2])
    assert model.threshold_ is None and set(model.good_scores_.values()) == {np.inf}
    assert model.score(bad).score > 0
    with pytest.raises(DataError, match="fewer than two other good images are left"):
        model.score(good[0][1], leave_out=True)


def test_inverse_covariances_beyond_a_gigabyte_are_refused_before_the_build(good):
    model = PaDiM(image_size=896, dims_used=None)
    with pytest.raises(
        SettingsError, match=r"2\.8 GB \(168 dimensions at 12,544 positions\); 1 GB is the most"
    ):
        model.fit(good)
    assert PaDiM(image_size=64).announcement(9).startswith("The inverse covariances take 5 MB")


def test_the_first_threshold_rejects_no_good_image_and_does_reject_the_defect(padim, bad):
    assert padim.threshold_ == pytest.approx(max(padim.good_scores_.values()))
    assert padim.score(bad).score > padim.threshold_


def test_save_and_load_are_bit_equal(padim, bad, tmp_path):
    padim.save(tmp_path / "x.patchcore")
    loaded = Detector.load(tmp_path / "x.patchcore")
    assert isinstance(loaded, PaDiM) and loaded.self_test_.difference == 0
    ours, theirs = padim.score(bad), loaded.score(bad)
    assert ours.score == theirs.score and ours.map.tobytes() == theirs.map.tobytes()
    assert (loaded.bank_id_, loaded.good_scores_) == (padim.bank_id_, padim.good_scores_)
    assert loaded.operating_point_ == padim.operating_point_
    assert read_untrusted(tmp_path / "x.patchcore", Detector.load)[0].score(bad).score == ours.score


def test_a_use_of_a_capability_that_padim_lacks_names_the_method(padim, good, bad):
    assert padim.capabilities == frozenset()
    for use in (
        lambda: padim.with_coreset(0.1),
        lambda: padim.explain(bad),
        lambda: with_taught(padim, [bad], good),
        lambda: without_images(padim, [padim.image_records_[0].sha256], good[1:]),
    ):
        with pytest.raises(SettingsError, match="^PaDiM "):
            use()


def spoilt(name, change):
    return lambda path: rewritten(path, lambda tensors, header: change(tensors[name]))


HOSTILE = {
    "not_a_number": (spoilt("padim.means", lambda a: a.__setitem__((0, 0), np.nan)), "are numbers"),
    "endless": (spoilt("padim.covariances", lambda a: a.__setitem__((0, 0), np.inf)), "are numbers"),
    "beyond_all_scores": (spoilt("padim.means", lambda a: a.__setitem__((0, 0), 1e300)), "no larger than"),
    "negative_variance": (spoilt("padim.covariances", lambda a: a.__setitem__((0, 0), -1)), "no variance"),
    "no_covariance": (spoilt("padim.covariances", lambda a: a.__setitem__((0, 1), 1e9)), "positive definite"),
    "negative_count": (spoilt("padim.counts", lambda a: a.__setitem__(0, -1)), "more images than there are"),
    "count_too_large": (spoilt("padim.counts", lambda a: a.__setitem__(0, 9)), "more images than there are"),
    "no_images": (spoilt("padim.counts", lambda a: a.fill(0)), "inspected in two images"),
    "same_dimension": (spoilt("padim.dims", lambda a: a.__setitem__(1, a[0])), "each once"),
    "negative_dimension": (spoilt("padim.dims", lambda a: a.__setitem__(0, -1)), "each once"),
    "dimension_beyond": (spoilt("padim.dims", lambda a: a.__setitem__(-1, 16_000)), "whole inspector"),
    "endless_score": (spoilt("good_scores.values", lambda a: a.fill(np.inf)), "infinite only with two"),
    "negative_score": (spoilt("good_scores.values", lambda a: a.fill(-1)), "negative or no number"),
    "score_twice": (spoilt("good_scores.images", lambda a: a.fill(0)), "listed image, once"),
    "self_test": (spoilt("self_test.distances", lambda a: a.__imul__(2)), "the builder's machine"),
    "no_means": (lambda p: rewritten(p, lambda t, h: t.pop("padim.means")), "has no padim.means"),
    "part_of_another": (
        lambda p: rewritten(p, lambda t, h: t.update({"bank.images": np.zeros(1, np.int32)})),
        "an unknown part 'bank.images'",
    ),
    "other_numbers": (
        lambda p: rewritten(p, lambda t, h: t.update({"padim.means": t["padim.means"].astype(np.float32)})),
        "padim.means must be F64",
    ),
    "other_shape": (
        lambda p: rewritten(p, lambda t, h: t.update({"padim.means": t["padim.means"][:, :3]})),
        "has a count, a mean and a covariance",
    ),
    "huge_shape": (
        lambda p: relisted(p, lambda listed: listed["padim.means"].update(shape=[10**9, 10**4])),
        "declared as 1000000000 x 10000",
    ),
    "more_dimensions_than_set": (
        lambda p: rewritten(p, lambda t, h: h["settings"].update(dims_used=3)),
        "each once",
    ),
    "method_unknown": (lambda p: rewritten(p, lambda t, h: h.update(method="os.system")), "does not know"),
    "method_of_another": (
        lambda p: rewritten(p, lambda t, h: h.update(method="spade")),
        "part 'padim|has no",
    ),
    "method_is_a_list": (lambda p: rewritten(p, lambda t, h: h.update(method=[])), "does not know"),
    "settings_of_another": (
        lambda p: rewritten(p, lambda t, h: h["settings"].update(method="spade")),
        "contradict|setting of PaDiM",
    ),
    "coreset": (
        lambda p: rewritten(p, lambda t, h: h["settings"].update(coreset=0.5)),
        "The coreset share is a setting of PatchCore; PaDiM has none",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_with_the_reason(padim, tmp_path, kind):
    spoil, reason = HOSTILE[kind]
    padim.save(tmp_path / "x.patchcore")
    spoil(tmp_path / "x.patchcore")
    with pytest.raises(PatchCoreError, match=reason):
        read_untrusted(tmp_path / "x.patchcore", Detector.load)


def test_a_damaged_part_is_refused_by_an_ordinary_load_too(padim, tmp_path):
    padim.save(tmp_path / "x.patchcore")
    tensors, header = container.read(tmp_path / "x.patchcore")
    tensors["padim.counts"] = tensors["padim.counts"][:-1].copy()
    container.write(tmp_path / "x.patchcore", tensors, header)
    with pytest.raises(ArtifactError, match="a count, a mean and a covariance"):
        Detector.load(tmp_path / "x.patchcore")


def test_a_build_that_is_cancelled_leaves_the_model_as_it_was(padim, good, bad):
    before = padim.score(bad).score
    with pytest.raises(PatchCoreError, match="covariances"):
        seen = []
        padim.fit(
            [stripes(seed) for seed in (50, 51, 52)],
            progress=lambda stage, *_: seen.append(stage),
            cancelled=lambda: "covariances" in seen,
        )
    assert padim.score(bad).score == before
