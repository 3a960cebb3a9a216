"""The sample product: built on first use, once, with its test images as a batch."""

import pytest
from sqlalchemy import select, update

from tests.workbench.parts import SMALL, plate, scratch_mask
from workbench.inspections import samples
from workbench.inspections.batches import count_unscored, list_results, load_mask
from workbench.inspections.samples import (
    list_samples,
    prepare_sample,
    sample_batch,
    score_sample,
    submit_sample,
)
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.versions import find_inspector, list_versions
from workbench.jobs.requests import JobState, get_job, list_jobs
from workbench.storage.tables import BatchImage


@pytest.fixture
def folder(tmp_path):
    for product in ("zz_part", "fabric", "washer"):
        for path, seeds, scratched in (
            ("train/good", range(4), False),
            ("test/good", range(4, 6), False),
            ("test/scratch", range(6, 9), True),
        ):
            target = tmp_path / "sample_data" / product / path
            target.mkdir(parents=True)
            for seed in seeds:
                (target / f"{seed:03d}.png").write_bytes(plate(seed, scratched=scratched))
        masks = tmp_path / "sample_data" / product / "ground_truth" / "scratch"
        masks.mkdir(parents=True)
        for seed in range(6, 9):
            (masks / f"{seed:03d}_mask.png").write_bytes(scratch_mask())
    (tmp_path / "sample_data" / "__pycache__").mkdir()
    return tmp_path / "sample_data"


@pytest.fixture
def washer(folder, monkeypatch):
    small = property(lambda self: BuildSettings(name=self.title, product=self.key, **SMALL))
    monkeypatch.setattr(samples.SampleProduct, "settings", small)
    return list_samples(folder)[0]


def test_products_are_found_with_their_titles(folder):
    found = list_samples(folder)
    assert [(s.key, s.title) for s in found] == [
        ("washer", "Stamped washer"),
        ("fabric", "Woven fabric"),
        ("zz_part", "Zz part"),
    ]


def test_the_sample_is_built_once(workspace, washer):
    assert find_inspector(workspace, washer.inspector_id) is None
    inspector = prepare_sample(workspace, washer)
    assert prepare_sample(workspace, washer).current_id == inspector.current_id
    assert len(list_versions(workspace, "sample-washer")) == 1
    assert inspector.name == "Stamped washer"


def test_test_images_of_the_sample_are_one_batch_with_labels(workspace, washer):
    inspector = prepare_sample(workspace, washer)
    batch = sample_batch(workspace, washer, inspector.id)
    assert sample_batch(workspace, washer, inspector.id) == batch
    assert count_unscored(workspace, batch, inspector.current_id) == 5


def test_the_sample_is_inspected_once(workspace, washer):
    score_sample(workspace, washer)
    inspector = find_inspector(workspace, washer.inspector_id)
    batch = sample_batch(workspace, washer, inspector.id)
    results = list_results(workspace, batch, inspector.current_id)
    assert len(results) == 5
    score_sample(workspace, washer)
    assert [r.id for r in list_results(workspace, batch, inspector.current_id)] == [r.id for r in results]


def test_the_build_of_the_sample_is_queued_once(workspace, washer):
    job_id = submit_sample(workspace, washer)
    assert submit_sample(workspace, washer) == job_id
    assert len(list_jobs(workspace)) == 1 and get_job(workspace, job_id).state == JobState.QUEUED


def test_defects_of_the_sample_have_masks(workspace, washer):
    batch = sample_batch(workspace, washer, prepare_sample(workspace, washer).id)
    assert _defect_pixels(workspace, batch) == [None, None, 288, 288, 288]


def test_masks_are_added_to_a_batch_of_an_earlier_program(workspace, washer):
    inspector = prepare_sample(workspace, washer)
    batch = sample_batch(workspace, washer, inspector.id)
    with workspace.database.write() as session:
        session.execute(update(BatchImage).values(mask_sha256=None))
    assert sample_batch(workspace, washer, inspector.id) == batch
    assert _defect_pixels(workspace, batch) == [None, None, 288, 288, 288]


@pytest.mark.parametrize("sample", list_samples(), ids=lambda sample: sample.key)
def test_the_masks_of_the_real_samples_are_black_and_white_and_fit(workspace, sample):
    images = [samples._labelled(workspace, image) for image in samples.read_layout(sample.folder)]
    defects = [image for image in images if image.truth != "good"]
    assert defects and all(image.mask_sha256 for image in defects)
    for image in defects[:: max(1, len(defects) // 4)]:
        row = BatchImage(sha256=image.sha256, name=image.name, mask_sha256=image.mask_sha256)
        assert load_mask(workspace, row).sum() > 0


def _defect_pixels(workspace, batch):
    with workspace.database.read() as session:
        rows = session.scalars(
            select(BatchImage).where(BatchImage.batch_id == batch).order_by(BatchImage.position)
        )
        masks = [load_mask(workspace, row) for row in rows]
    return [None if mask is None else int(mask.sum()) for mask in masks]
