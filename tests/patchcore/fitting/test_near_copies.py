"""Near copies among the good images: named at the build, left out of each other's scores, counted once."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sample_data
from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import with_taught
from patchcore.detector import Detector
from patchcore.errors import Cancelled, SettingsError
from patchcore.images.reading import list_images, read_image
from patchcore.settings import Settings

WASHERS = list_images(Path(sample_data.__file__).parent / "washer" / "train" / "good")[:6]


def saved(pixels, kind="PNG", **settings):
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, kind, **settings)
    return buffer.getvalue()


def copies(path):
    """Return a washer's near copies, by what was done to them."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    noise = np.random.default_rng(5).normal(0, 1, pixels.shape)
    return {
        "JPEG": saved(pixels, "JPEG", quality=85),
        "good JPEG": saved(pixels, "JPEG", quality=92),
        "cropped": saved(pixels[1:, 1:]),
        "brighter": saved(pixels + 1),
        "next frame": saved(np.roll(pixels, 1, axis=1) + noise),
    }


def named(path):
    return [(f"{path.stem}, {kind}", data) for kind, data in copies(path).items()]


def unfitted(method="patchcore"):
    return Detector.of(Settings(method=method, image_size=112))


GOOD = [(path.stem, path) for path in WASHERS]
MIXED = [
    *GOOD,
    *named(WASHERS[0]),
    *named(WASHERS[1])[:3],
    ("same", saved(np.asarray(Image.open(WASHERS[2])))),
]


@pytest.fixture(scope="module")
def mixed():
    return unfitted().fit(MIXED)


def test_different_parts_are_no_near_copies():
    model = unfitted().fit(GOOD)
    assert model.remarks_ == [] and model.copy_groups_.representatives.tolist() == list(range(6))


def test_near_copies_are_named_and_learned_from_and_exact_ones_left_out(mixed):
    first, second, third = (path.stem for path in WASHERS[:3])
    assert len(mixed.image_records_) == 14
    assert [str(error) for error in mixed.skipped_] == [
        f"same: it shows the same pixels as {third}; each picture counts once."
    ]
    remark = mixed.remarks_[0]
    assert remark.startswith(f"8 of your 14 images are near copies of 2: {first}, JPEG, {first}, good JPEG")
    assert f"of {first}; " in remark and f"{second}, cropped of {second}. Each group counts once" in remark


def test_a_group_counts_once_and_scores_without_its_copies(mixed):
    assert set(mixed.good_scores_) == {path.stem for path in WASHERS}
    assert (
        "Provisional, set from the worst of 6 good images: expect about 1 false reject in 6"
        in mixed.operating_point_.statement
    )
    for name, source in MIXED[:2]:
        assert mixed.score(source, leave_out=True).score == pytest.approx(mixed.good_scores_[name])
        assert mixed.score(source).score < 0.9 * mixed.good_scores_[name]


def test_the_groups_survive_the_file_and_a_copy_stands_in_for_a_removed_image(mixed, tmp_path):
    mixed.save(tmp_path / "washer.patchcore")
    model = Detector.load(tmp_path / "washer.patchcore")
    assert model.remarks_ == mixed.remarks_ and model.good_scores_ == mixed.good_scores_
    fewer = without_images(model, [model.image_records_[0].sha256], MIXED[1:])
    assert set(fewer.good_scores_) == {f"{WASHERS[0].stem}, JPEG", *(path.stem for path in WASHERS[1:])}
    assert "about 1 false reject in 6" in fewer.operating_point_.statement


def test_teaching_refuses_the_pixels_of_a_good_image_in_another_file(mixed):
    with pytest.raises(
        SettingsError, match=f"{WASHERS[3].stem} with the same pixels, so there is nothing to teach"
    ):
        with_taught(mixed, [("again.bmp", saved(np.asarray(Image.open(WASHERS[3])), "BMP"))], MIXED)


@pytest.mark.parametrize("method", ["patchcore", "padim", "spade"])
def test_one_picture_again_and_again_gets_a_threshold_without_a_promise(method):
    model = unfitted(method).fit([GOOD[0], *named(WASHERS[0])])
    assert "5 of your 6 images are near copies of 1" in model.remarks_[0]
    assert "promises nothing" in model.remarks_[0]
    point = model.operating_point_
    assert "without a promise" in point.statement and "false reject in" not in point.statement
    assert point.reject > 0
    for data in copies(WASHERS[0]).values():  # what was learned is accepted
        assert point.verdict(model.score(data).score) == "accept"


def test_an_interrupted_build_finds_the_same_groups(mixed, tmp_path):
    stop = iter(range(9))

    with pytest.raises(Cancelled, match="Stopped"):
        unfitted().fit(MIXED, scratch=tmp_path, cancelled=lambda: next(stop, None) is None)
    again = unfitted().fit(MIXED, scratch=tmp_path)
    assert again.image_records_ == mixed.image_records_
    assert again.bank_id_ == mixed.bank_id_ and again.good_scores_ == mixed.good_scores_


def test_images_with_the_same_pixels_are_found_by_any_file(mixed):
    again = read_image(saved(np.asarray(Image.open(WASHERS[0])), "TIFF"))
    assert mixed.twin_of(again).name == WASHERS[0].stem
    assert len(mixed.numbers_of(again)) == 6
    assert mixed.twin_of(read_image(saved(np.fliplr(np.asarray(Image.open(WASHERS[0])))))) is None
