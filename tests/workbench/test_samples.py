"""The sample product: built on first use, once, with its test images as a batch."""

import hashlib

import pytest

from patchcore.images import read_image
from tests.workbench.parts import SMALL, plate
from workbench import samples
from workbench.building import BuildSettings
from workbench.inspecting import count_unscored, list_results
from workbench.inspectors import list_versions
from workbench.jobs import JobState, get_job, list_jobs
from workbench.samples import (
    find_sample_inspector,
    list_samples,
    prepare_sample,
    sample_batch,
    score_sample,
    submit_sample,
    truth_mask,
)


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


def test_it_is_built_once(workspace, washer):
    assert find_sample_inspector(workspace, washer) is None
    inspector = prepare_sample(workspace, washer)
    assert prepare_sample(workspace, washer).current_id == inspector.current_id
    assert len(list_versions(workspace, "sample-washer")) == 1
    assert inspector.name == "Stamped washer"


def test_its_test_images_are_one_batch_with_their_truth(workspace, washer):
    inspector = prepare_sample(workspace, washer)
    batch = sample_batch(workspace, washer, inspector.id)
    assert sample_batch(workspace, washer, inspector.id) == batch
    assert count_unscored(workspace, batch, inspector.current_id) == 5


def test_it_is_inspected_once(workspace, washer):
    score_sample(workspace, washer)
    inspector = find_sample_inspector(workspace, washer)
    batch = sample_batch(workspace, washer, inspector.id)
    results = list_results(workspace, batch, inspector.current_id)
    assert len(results) == 5
    score_sample(workspace, washer)
    assert [r.id for r in list_results(workspace, batch, inspector.current_id)] == [r.id for r in results]


def test_its_build_is_queued_once(workspace, washer):
    job_id = submit_sample(workspace, washer)
    assert submit_sample(workspace, washer) == job_id
    assert len(list_jobs(workspace)) == 1 and get_job(workspace, job_id).state == JobState.QUEUED


def test_the_place_of_a_defect_is_known_by_name_and_content():
    washer = list_samples()[0]
    name = "scratch/000.jpg"
    sha256 = hashlib.sha256((washer.folder / "test" / name).read_bytes()).hexdigest()
    mask = truth_mask(name, sha256)
    drawn = read_image(washer.folder / "ground_truth/scratch/000_mask.png").pixels[..., 0]
    assert 0 < mask.sum() == (drawn > 0.5).sum()
    assert truth_mask(name, "0" * 64) is None
    good = hashlib.sha256((washer.folder / "test/good/000.jpg").read_bytes()).hexdigest()
    assert truth_mask("good/000.jpg", good) is None
