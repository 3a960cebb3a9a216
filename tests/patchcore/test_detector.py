"""The model from end to end, against the method written out naively."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torchvision import models

from patchcore import read_image
from patchcore.amendment.teaching import with_taught
from patchcore.errors import (
    ArtifactError,
    Cancelled,
    DataError,
    NoImagesError,
    NotFittedError,
    SettingsError,
    UnreadableImage,
    WeightsMismatch,
)
from patchcore.features import patch_features
from patchcore.files import container
from patchcore.patchcore import PatchCore
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from tests.patchcore.conftest import stripes
from tests.patchcore.greedy import greedy_order

SIDE = 64


def features_of(model, image):
    pixels = read_image(image).pixels
    return patch_features(model.backbone_, pixels)  # already at the input's size


def test_scores_equal_the_naive_nearest_neighbour_search(model, good, bad):
    every = np.concatenate([features_of(model, image).reshape(-1, model.bank_.dims) for _, image in good])
    bank = every[greedy_order(every, len(every) // 2, seed=0)]
    assert_array_equal(model.bank_.features, bank)
    queries = features_of(model, bad).reshape(-1, model.bank_.dims)
    naive = np.sqrt(((queries[:, None].astype(np.float64) - bank[None]) ** 2).sum(2)).min(1)
    result = model.score(bad)
    assert result.patch_scores.ravel() == pytest.approx(naive, rel=1e-5)
    assert result.score == pytest.approx(naive.max(), rel=1e-6)
    assert result.worst == divmod(int(naive.argmax()), 8)


def test_a_defect_scores_above_every_good_part_and_its_map_shows_where(model, good, bad):
    result = model.score(bad)
    assert result.score > max(model.good_scores_.values())
    assert result.map.shape == (SIDE, SIDE)
    assert result.map[20:36, 40:56].mean() > 1.3 * np.median(result.map)
    x0, y0, x1, y1 = result.worst_box
    assert x0 < 56 and x1 > 40 and y0 < 36 and y1 > 20


def test_an_image_of_the_whole_bank_scores_zero(good):
    model = PatchCore(image_size=SIDE, coreset=1.0).fit(good[:3])
    assert model.score(good[0][1]).score == 0


@pytest.mark.parametrize("share", [0.01, 0.1, 0.37])
def test_a_smaller_share_equals_a_fresh_build_at_that_share(model, good, bad, share):
    sliced = model.with_coreset(share)
    fresh = PatchCore(image_size=SIDE, coreset=share).fit(good)
    assert_array_equal(sliced.bank_.features, fresh.bank_.features)
    assert_array_equal(sliced.bank_.images, fresh.bank_.images)
    assert_array_equal(sliced.bank_.positions, fresh.bank_.positions)
    assert sliced.score(bad).score == fresh.score(bad).score
    assert sliced.cover_radius_ == fresh.cover_radius_
    assert sliced.good_scores_ == fresh.good_scores_
    assert sliced.threshold_ == fresh.threshold_


def test_changing_the_share_leaves_the_model_as_it_was(model):
    before = (len(model.bank_), model.threshold_)
    small = model.with_coreset(0.05)
    assert (len(model.bank_), model.threshold_) == before
    assert len(small.with_coreset(0.5).bank_) == before[0]
    assert small.threshold_ >= model.threshold_  # distances only fall as rows are added
    assert small.bank_id_ != model.bank_id_


def test_a_larger_share_than_built_is_refused(model):
    with pytest.raises(SettingsError, match="rebuild"):
        model.with_coreset(0.9)


def test_leave_one_out_scores_equal_a_search_without_the_image(model, good):
    for number, (name, image) in enumerate(good):
        queries = features_of(model, image).reshape(-1, model.bank_.dims)
        rest = model.bank_.without_images({number})
        assert model.good_scores_[name] == rest.nearest(queries).distances.max()


def test_good_image_scored_without_its_own_rows_has_its_leave_one_out_score(model, good):
    small, rises = model.with_coreset(0.1), []
    for number, (name, image) in enumerate(good):
        result = small.score(image, leave_out=True)
        assert result.score == small.good_scores_[name]  # one image has the same features every time
        naive = small.bank_.without_images({number}).nearest(
            features_of(model, image).reshape(-1, model.bank_.dims)
        )
        assert_array_equal(result.patch_scores.ravel(), naive.distances[:, 0])
        assert small.bank_.images[result.nearest_row] != number
        why = small.explain(result)
        assert why.neighbour_image == good[small.bank_.images[result.nearest_row]][0] != name
        rises.append(result.map.max() - small.score(image).map.max())
    assert min(rises) >= 0 < max(rises)  # an image whose own rows are not near its worst patch loses nothing


def test_leaving_out_a_foreign_image_does_not_change_its_score(model, bad):
    left_out, plain = model.score(bad, leave_out=True), model.score(bad)
    assert (left_out.score, left_out.nearest_row) == (plain.score, plain.nearest_row)
    assert_array_equal(left_out.map, plain.map)


def test_an_image_alone_in_the_bank_cannot_be_left_out(good):
    model = PatchCore(image_size=SIDE).fit(good[:1])
    with pytest.raises(DataError, match="every row of the bank comes from this image itself"):
        model.score(good[0][1], leave_out=True)


def test_the_first_threshold_rejects_no_good_image_it_was_set_from(model):
    assert model.threshold_ == pytest.approx(max(model.good_scores_.values()))
    assert "8 good images" in model.operating_point_.statement


def test_with_twenty_good_images_the_worst_of_them_would_be_reviewed():
    model = PatchCore(image_size=64, coreset=0.5).fit([stripes(seed) for seed in range(20)])
    scores = sorted(model.good_scores_.values())
    assert model.operating_point_.reject == pytest.approx(scores[-1])
    assert model.operating_point_.accept == pytest.approx(scores[19])  # ceil(21 * 0.95) = 20th smallest
    small = model.with_coreset(0.1)
    assert small.operating_point_.accept_rule == model.operating_point_.accept_rule


def test_the_explanation_names_the_good_image_of_the_nearest_row(model, good, bad):
    result = model.score(bad)
    why = model.explain(result)
    assert why == model.explain(bad)
    assert why.distance == pytest.approx(result.score)
    names = dict(good)
    pixels = names[why.neighbour_image]
    assert why.neighbour_sha256 == read_image(pixels).record.sha256
    x0, y0, x1, y1 = why.neighbour_box
    row, col = (y0 + y1) // 16, (x0 + x1) // 16
    near = features_of(model, pixels)[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2]
    patch = features_of(model, bad)[result.worst]
    # a patch beside it that the bank left out may lie nearer still
    assert np.isclose(np.linalg.norm(near - patch, axis=-1), result.score, rtol=1e-5).any()


def test_the_same_inputs_give_the_same_bank_byte_for_byte(model, good):
    again = PatchCore(image_size=SIDE, coreset=0.5).fit(good)
    assert again.bank_.features.tobytes() == model.bank_.features.tobytes()
    other = PatchCore(image_size=SIDE, coreset=0.5, seed=1).fit(good)
    assert other.bank_.features.tobytes() != model.bank_.features.tobytes()


def test_equation_7_lowers_scores_but_not_the_map(model, good, bad):
    weighted = PatchCore(image_size=SIDE, coreset=0.5, reweight=True).fit(good)
    assert weighted.operating_point_ is None  # distances are no threshold for re-weighted scores
    plain, result = model.score(bad), weighted.score(bad)
    assert 0 < result.score < plain.score
    assert_array_equal(result.map, plain.map)


def test_save_and_load_are_bit_equal_in_a_new_process_without_faiss(model, good, bad, tmp_path):
    """One of the two is taught: its bank says how many rows were, and which images."""
    shrunk = model.with_coreset(0.2)
    spot = stripes(200)
    spot[12:26, 30:44] //= 2
    models = (shrunk, with_taught(shrunk, [("spot/200.png", spot)], good))
    for number, saved in enumerate(models):
        saved.save(tmp_path / f"{number}.patchcore")
    np.save(tmp_path / "bad.npy", bad)
    code = (
        "import sys, json, numpy as np; sys.modules['faiss'] = None; from patchcore import PatchCore, PaDiM, SPADE\n"
        "for path in sys.argv[2:]:\n"
        "    model = PatchCore.load(path); result = model.score(np.load(sys.argv[1]))\n"
        "    print(json.dumps([result.score.hex(), result.map.tobytes().hex(), model.threshold_.hex(),\n"
        "        model.bank_id_, model.taught_, model.full_bank_.taught, model.self_test_.passed]))"
    )
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            *map(str, (tmp_path / "bad.npy", *sorted(tmp_path.glob("*.patchcore")))),
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=os.environ,
    )
    expected = [
        [
            (result := saved.score(bad)).score.hex(),
            result.map.tobytes().hex(),
            saved.threshold_.hex(),
            saved.bank_id_,
            list(saved.taught_),
            saved.full_bank_.taught,
            True,
        ]
        for saved in models
    ]
    assert [json.loads(line) for line in answer.stdout.splitlines()] == expected
    assert expected[0][4:6] == [[], 0] and len(expected[1][4]) == 1 and expected[1][5] > 0


def test_a_loaded_inspector_keeps_its_largest_share_and_its_good_scores(model, tmp_path):
    model.with_coreset(0.1).save(tmp_path / "x.patchcore")
    loaded = PatchCore.load(tmp_path / "x.patchcore")
    assert loaded.self_test_.passed
    assert loaded.with_coreset(0.5).good_scores_ == model.good_scores_
    assert [r.name for r in loaded.image_records_] == [r.name for r in model.image_records_]


def test_failed_self_test_warns(model, tmp_path):
    model.save(tmp_path / "x.patchcore")
    tensors, header = container.read(tmp_path / "x.patchcore")
    container.write(
        tmp_path / "y.patchcore",
        tensors | {"self_test.distances": tensors["self_test.distances"] * 2},
        header,
    )
    with pytest.warns(UserWarning, match=r"y\.patchcore: The self-test's scores differ .*50"):
        loaded = PatchCore.load(tmp_path / "y.patchcore")
    assert not loaded.self_test_.passed


def nan_bank(tensors, header):
    tensors["bank.features"][3, 2] = np.nan


def row_of_no_image(tensors, header):
    tensors["bank.images"][0] = 999


def position_off_the_map(tensors, header):
    tensors["bank.positions"][0] = 64


def no_rows_in_use(tensors, header):
    header["rows_in_use"] = 0


def part_missing(tensors, header):
    del tensors["good_scores.values"]


def setting_unknown(tensors, header):
    header["settings"]["exec"] = "rm"


def no_operating_point_parts(tensors, header):
    header["operating_point"] = {"reject": 1}


@pytest.mark.parametrize(
    "damage",
    [
        nan_bank,
        row_of_no_image,
        position_off_the_map,
        no_rows_in_use,
        part_missing,
        setting_unknown,
        no_operating_point_parts,
    ],
)
def test_an_unsound_inspector_with_right_hashes_is_refused(model, tmp_path, damage):
    model.save(tmp_path / "x.patchcore")
    tensors, header = container.read(tmp_path / "x.patchcore")
    tensors = {name: array.copy() for name, array in tensors.items()}
    damage(tensors, header)
    container.write(tmp_path / "x.patchcore", tensors, header)
    with pytest.raises(ArtifactError):
        PatchCore.load(tmp_path / "x.patchcore")


def test_inspector_refuses_weights_that_did_not_build_it(good, tmp_path):
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(models.resnet18(weights=None).state_dict(), tmp_path / f"{seed}.pth")
    model = PatchCore("resnet18", tmp_path / "0.pth", image_size=SIDE).fit(good[:3])
    model.save(tmp_path / "x.patchcore")
    assert PatchCore.load(tmp_path / "x.patchcore", tmp_path / "0.pth").bank_id_ == model.bank_id_
    with pytest.raises(WeightsMismatch):
        PatchCore.load(tmp_path / "x.patchcore", tmp_path / "1.pth")


def test_broken_and_repeated_images_are_left_out_with_reasons(good, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_text("not an image", encoding="utf-8")
    model = PatchCore(image_size=SIDE).fit([good[0], broken, ("twin.png", good[0][1]), good[1]])
    assert [r.name for r in model.image_records_] == ["good/000.png", "good/001.png"]
    assert [error.name for error in model.skipped_] == ["broken.png", "twin.png"]
    assert "same pixels as good/000.png" in model.skipped_[1].reason


@pytest.mark.parametrize("images", [[], [b""]])
def test_build_without_images_raises_no_images_error(images):
    with pytest.raises(NoImagesError):
        PatchCore(image_size=SIDE).fit(images)


def test_one_image_gives_a_bank_but_no_threshold(good, bad):
    model = PatchCore(image_size=SIDE).fit(good[:1])
    assert model.threshold_ is None
    assert model.good_scores_ == {"good/000.png": np.inf}
    assert model.score(bad).score > 0


def test_not_fitted_yet(bad, tmp_path):
    for attempt in (lambda m: m.score(bad), lambda m: m.save(tmp_path / "x"), lambda m: m.with_coreset(0.1)):
        with pytest.raises(NotFittedError, match="no good images yet"):
            attempt(PatchCore())


def test_an_unreadable_image_is_refused_and_the_model_goes_on(model, bad):
    with pytest.raises(UnreadableImage):
        model.score(b"nonsense")
    assert model.score(bad).score > 0


def test_images_of_other_shapes_come_back_in_their_own_pixels(model, bad):
    tall = np.kron(bad[:, :32], np.ones((3, 3, 1), np.uint8))
    result = model.score(tall)
    assert result.map.shape == tall.shape[:2]
    assert np.isnan(result.patch_scores[:, :2]).all()
    assert np.isfinite(result.patch_scores[:, 2:6]).all()


def test_noise_outside_the_roi_does_not_change_the_result(good, bad):
    roi = np.zeros((SIDE, SIDE), bool)
    roi[:, :40] = True
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    model = PatchCore(image_size=SIDE, coreset=0.5).fit(good, roi=roi)
    noisy = PatchCore(image_size=SIDE, coreset=0.5).fit(
        [(name, np.where(roi[..., None], image, noise)) for name, image in good], roi=roi
    )
    assert model.bank_.features.tobytes() == noisy.bank_.features.tobytes()
    result, flipped = model.score(bad), model.score(np.where(roi[..., None], bad, noise))
    assert result.score == flipped.score
    assert_array_equal(result.map, flipped.map)
    assert not result.map[:, 41:].any()


def test_cancel_in_every_stage_leaves_checkpoints_that_are_used(good, tmp_path):
    for stage in ("features", "coreset", "calibration"):
        reached = []

        def progress(name, done, total, reached=reached):
            reached.append(name)

        with pytest.raises(Cancelled):
            PatchCore(image_size=SIDE).fit(
                good, progress=progress, cancelled=lambda r=reached, s=stage: s in r, scratch=tmp_path
            )
        assert reached[-1] == stage


def test_an_interrupted_build_goes_on_without_computing_features_again(good, tmp_path, monkeypatch):
    paths = []
    for number, (_, image) in enumerate(good):
        path = tmp_path / f"{number}.npy.png"
        from patchcore.maps.rendering import encode_png

        path.write_bytes(encode_png(image))
        paths.append(path)
    scratch = tmp_path / "scratch"
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        PatchCore(image_size=SIDE).fit(paths, scratch=scratch, cancelled=lambda: next(calls) >= 5)
    computed = []
    from patchcore.fitting import batching, run

    real = run.patch_features
    for module in (run, batching):
        monkeypatch.setattr(module, "patch_features", lambda *a: computed.append(1) or real(*a))
    resumed = PatchCore(image_size=SIDE).fit(paths, scratch=scratch)
    assert len(computed) == 1 + 3 + 1  # the sample image again, the three that were missing, the self-test
    monkeypatch.undo()
    fresh = PatchCore(image_size=SIDE).fit(paths)
    assert resumed.bank_.features.tobytes() == fresh.bank_.features.tobytes()


def test_progress_tells_every_stage_to_its_end(good):
    seen = {}
    PatchCore(image_size=SIDE).fit(
        good, progress=lambda stage, done, total: seen.update({stage: (done, total)})
    )
    assert seen == {"features": (8, 8), "coreset": (51, 51), "calibration": (8, 8)}


def test_another_share_does_not_drop_the_defects_a_threshold_was_set_from(model, bad):
    evidence = Evidence(model.evidence_.good, {"bad": model.score(bad).score})
    decided = decide(Choice("f1_max"), evidence, model.bank_id_, set_by="Ada")
    point = model.with_operating_point(decided).with_coreset(0.1).operating_point_
    assert "defects" in point.stale and point.evidence == evidence
    with pytest.raises(SettingsError, match="out of date"):
        point.verdict(1.0)


def test_thresholds_of_another_bank_are_refused(model):
    small = model.with_coreset(0.1)
    with pytest.raises(SettingsError, match="another bank"):
        model.with_operating_point(small.operating_point_)
    assert model.with_operating_point(None).threshold_ is None


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
BETWEEN_DEVICES = 1e-4  # relative, of distances, maps and image scores


@on_a_gpu
@pytest.mark.parametrize(("built", "used"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_inspector_scores_alike_on_another_device(built, used, good, bad, tmp_path):
    model = PatchCore(image_size=SIDE, coreset=0.5, device=built).fit(good)
    model.save(tmp_path / "x.patchcore")
    other = PatchCore.load(tmp_path / "x.patchcore", device=used)
    assert other.backbone_.device.type == used
    assert other.bank_id_ == model.bank_id_
    assert other.self_test_.difference <= BETWEEN_DEVICES
    largest = model.score(bad).score
    for image in (bad, good[0][1], good[5][1]):
        ours, theirs = model.score(image), other.score(image)
        assert theirs.score == pytest.approx(ours.score, rel=BETWEEN_DEVICES, abs=BETWEEN_DEVICES * largest)
        assert_allclose(theirs.map, ours.map, rtol=BETWEEN_DEVICES, atol=BETWEEN_DEVICES * largest)


@on_a_gpu
def test_from_the_same_features_a_gpu_builds_the_same_bank(good, tmp_path):
    here = PatchCore(image_size=SIDE, coreset=0.5, device="cpu").fit(good, scratch=tmp_path)
    stages = []
    there = PatchCore(image_size=SIDE, coreset=0.5, device="cuda").fit(
        good, scratch=tmp_path, progress=lambda *step: stages.append(step[0])
    )
    assert set(stages) == {"features", "coreset", "calibration"}
    assert_array_equal(there.bank_.features, here.bank_.features)
    assert_array_equal(there.bank_.images, here.bank_.images)
    assert_array_equal(there.bank_.positions, here.bank_.positions)
    assert there.good_scores_ == here.good_scores_


@on_a_gpu
def test_a_build_on_a_gpu_can_be_cancelled_and_repeated_byte_for_byte(good):
    for stage in ("features", "coreset", "calibration"):
        reached = []
        with pytest.raises(Cancelled):
            PatchCore(image_size=SIDE, device="cuda").fit(
                good,
                progress=lambda now, done, total, reached=reached: reached.append(now),
                cancelled=lambda stage=stage, reached=reached: reached[-1:] == [stage],
            )
    once, again = (PatchCore(image_size=SIDE, device="cuda").fit(good) for _ in range(2))
    assert_array_equal(again.full_bank_.features, once.full_bank_.features)
    assert again.good_scores_ == once.good_scores_
