"""Files from anywhere: sound ones are read as they were saved, all others are refused with the reason."""

import resource
import tracemalloc

import numpy as np
import pytest

from patchcore import PatchCore
from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import with_taught
from patchcore.errors import ArtifactError, PatchCoreError
from patchcore.files import container
from patchcore.files.description import About
from patchcore.files.distrust import read_untrusted
from patchcore.files.plain_text import leads_elsewhere
from tests.patchcore import hostile

SIDE = 64


@pytest.fixture(scope="module")
def good():
    return [np.random.default_rng(i).integers(90, 110, (SIDE, SIDE, 3), np.uint8) for i in range(4)]


@pytest.fixture(scope="module")
def model(good):
    return PatchCore(image_size=SIDE, coreset=0.5).fit(good)


@pytest.fixture
def path(model, tmp_path):
    model.save(tmp_path / "plate.patchcore")
    return tmp_path / "plate.patchcore"


def test_a_sound_file_is_read_as_it_was_saved(model, path, good):
    read, about, header = read_untrusted(path, PatchCore.load)
    assert read.score(good[0]).score == model.score(good[0]).score and about.name == ""
    assert read.bank_id_ == model.bank_id_ == header["bank_id"]


def test_every_state_that_we_save_is_sound(model, good, tmp_path):
    roi = np.zeros((20, 30), bool)
    roi[5:15, 5:25] = True
    with_roi = PatchCore(image_size=SIDE, coreset=0.5, layers=("block6",)).fit(good, roi=roi)
    fewer = without_images(model, [model.image_records_[0].sha256], good[1:])
    new = np.full((SIDE, SIDE, 3), 200, np.uint8)
    taught = with_taught(model.with_coreset(0.2), [new], good)
    assert taught.bank_.taught
    for state in (model.with_coreset(0.05), fewer, with_roi, model.with_operating_point(None), taught):
        state.save(tmp_path / "state.patchcore")
        assert read_untrusted(tmp_path / "state.patchcore", PatchCore.load)[0].bank_id_ == state.bank_id_


def test_the_description_of_a_file_comes_back(model, path, good):
    picture = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    told = About(
        "Plate, line 3", "A/B", "3.2", "after\nthe lamp", "Ada", "2026-01-02T03:04:05+00:00", picture
    )
    tensors, header = model.arrays_and_header()
    more, fields = told.parts()
    container.write(path, {**tensors, **more}, {**header, **fields})
    _, about, _ = read_untrusted(path, PatchCore.load)
    assert vars(about) | {"picture": None} == vars(told) | {"picture": None}
    assert np.array_equal(about.picture, picture)
    assert PatchCore.load(path).score(good[0]).score == model.score(good[0]).score


@pytest.mark.parametrize("spoil", hostile.HOSTILE, ids=lambda spoil: spoil.__name__)
def test_hostile_files_are_refused_with_the_reason(path, spoil):
    spoil(path)
    with pytest.raises(PatchCoreError, match=hostile.HOSTILE[spoil]):
        read_untrusted(path, PatchCore.load)


@pytest.mark.parametrize(
    "spoil", [hostile.huge_declared_shape, hostile.huge_declared_header, hostile.endless_empty_shape]
)
def test_declared_sizes_are_not_allocated(path, spoil):
    spoil(path)
    tracemalloc.start()
    with pytest.raises(ArtifactError):
        read_untrusted(path, PatchCore.load)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * path.stat().st_size


def read_strangers(path):
    return read_untrusted(path, PatchCore.load)


@pytest.mark.parametrize(
    "places", [[0], [-1], [0, 1, 2]], ids=["the first part", "the last", "three of them"]
)
@pytest.mark.parametrize("read", [read_strangers, PatchCore.load])
def test_a_sparse_file_of_gigabytes_is_refused_before_it_is_read(path, places, read):
    hostile.stretch(path, places, 7 << 30)
    assert path.stat().st_size > 7e9 and path.stat().st_blocks * 512 < 1e7
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ArtifactError, match="empty space that its disk does not hold"):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_a_few_holes_of_a_copy_that_left_out_zeros_are_no_reason_to_refuse_it(path, tmp_path):
    copy = tmp_path / "copy"
    with copy.open("wb") as file:
        file.truncate(100 << 20)
    container.require_solid(copy)
    container.require_solid(path)


@pytest.mark.parametrize(
    "name", ["../a", "a/../b", "a\\..\\b", "/etc", "~/a", "C:\\a", "c:/a", "\\\\host\\a"]
)
def test_paths_out_of_the_folder_are_recognised(name):
    assert leads_elsewhere(name)


@pytest.mark.parametrize(
    "name", ["good/001.png", "a..b", "M6 washer: line 3", "A/B", "\\x07a", "image 1", "~"]
)
def test_ordinary_names_are_not_taken_for_such(name):
    assert not leads_elsewhere(name)
