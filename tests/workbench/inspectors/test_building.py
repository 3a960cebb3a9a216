"""Building: a version is wholly there or not at all, also when its process is killed in the middle."""

import io
import json
from types import SimpleNamespace

import numpy as np
import PIL.Image
import psutil
import pytest
from sqlalchemy import select

from patchcore.errors import Cancelled, NoImagesError, SettingsError
from patchcore.images.reading import exact_copy
from tests.workbench.parts import SMALL, build_small, plate, store_plates
from tests.workbench.processes import end_all, wait_until
from workbench.inspectors import building
from workbench.inspectors.building import BuildSettings, build, new_inspector_id, submit_build
from workbench.inspectors.versions import (
    find_inspector,
    good_images,
    list_inspectors,
    list_versions,
    load_model,
)
from workbench.jobs import requests
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState
from workbench.storage.roi import Roi
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import NamedImage
from workbench.viewer import Shape


def test_settings_survive_the_database():
    settings = BuildSettings(
        name="Plate, line 3",
        geometry="stretch",
        coreset=0.2,
        share=0.05,
        roi=Roi((Shape("polygon", ((6.0, 6.0), (58.0, 6.0), (30.0, 58.0))),), 64, 64),
        value_range=(0.0, 4095.0),
    )
    assert BuildSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"share": 0.2}, {"geometry": "twist"}, {"image_size": 7}, {"backbone": "alexnet"}],
)
def test_wrong_settings_are_refused_before_a_job_is_queued(wrong):
    with pytest.raises(SettingsError):
        BuildSettings(**{"name": "Plate", **wrong})


def test_ids_tell_something_and_are_safe():
    one = new_inspector_id("M6 Wäsher / line 3 ../x")
    assert one.startswith("m6-washer-line-3-x-") and one != new_inspector_id("M6 Wäsher / line 3 ../x")
    assert new_inspector_id("ねじ").startswith("inspector-")


def test_a_build_is_on_disk_and_in_the_database(workspace, version):
    inspector = find_inspector(workspace, "plate-1")
    assert inspector.current.id == version.id and [i.id for i in list_inspectors(workspace)] == ["plate-1"]
    assert version.path == "inspectors/plate-1/v0001/model.patchcore"
    model = load_model(workspace, version)
    assert version.patches == len(model.bank_) and version.share == pytest.approx(0.5, abs=0.01)
    assert version.cover_radius == pytest.approx(model.cover_radius_)
    assert version.megabytes == pytest.approx(model.bank_.nbytes / 1e6)
    assert version.operating_point["reject"] == pytest.approx(model.threshold_)
    assert [image.name for image in good_images(workspace, version)] == [
        f"good/{i:03d}.png" for i in range(6)
    ]
    assert set(version.good_scores) == {image.sha256 for image in good_images(workspace, version)}
    assert version.thumbnail_sha256 == good_images(workspace, version)[0].sha256
    assert list((workspace.root / "temporary").iterdir()) == []


def test_duplicates_count_once_and_equal_names_are_told_apart(workspace):
    images = store_plates(workspace, 4)
    images += [NamedImage(images[0].sha256, "copy.png"), workspace.store_image(plate(9), "good/000.png")]
    version = build(workspace, BuildSettings(name="Plate", **SMALL), images, inspector_id="plate-1")
    names = [image.name for image in good_images(workspace, version)]
    assert names == ["good/000.png", "good/001.png", "good/002.png", "good/003.png", "good/000.png (2)"]


def test_copies_are_left_out_by_their_pixels_and_near_copies_named(workspace):
    plates = store_plates(workspace, 4)
    original = PIL.Image.open(io.BytesIO(plate(0)))
    lighter = PIL.Image.fromarray(np.asarray(original) + 1)
    for name, image, kind in (("again.bmp", original, "BMP"), ("lighter.png", lighter, "PNG")):
        buffer = io.BytesIO()
        image.save(buffer, kind)
        plates.append(workspace.store_image(buffer.getvalue(), name))
    version = build(workspace, BuildSettings(name="Plate", **SMALL), plates, inspector_id="plate-9")
    assert version.numbers["skipped"] == [
        {"name": "again.bmp", "reason": exact_copy("good/000.png")},
    ]
    assert version.numbers["remarks"][0].startswith(
        "1 of your 5 images is a near copy of 1: lighter.png of good/000.png."
    )
    assert (
        len(version.good_scores) == 4
        and "expect about 1 false reject in 4" in version.operating_point["statement"]
    )


def test_a_broken_image_is_left_out_and_named(workspace):
    images = [*store_plates(workspace, 4), workspace.store_image(plate(7)[:900], "cut.png")]
    version = build(workspace, BuildSettings(name="Plate", **SMALL), images, inspector_id="plate-1")
    assert [skipped["name"] for skipped in version.numbers["skipped"]] == ["cut.png"]
    assert len(good_images(workspace, version)) == 4


def test_a_rebuild_is_the_next_version_and_keeps_the_last(workspace, version):
    first, second = version, build_small(workspace, 3)
    assert [version.number for version in list_versions(workspace, "plate-1")] == [2, 1]
    assert find_inspector(workspace, "plate-1").current_id == second.id
    assert (workspace.root / first.path).exists() and (workspace.root / second.path).exists()


def test_a_region_leaves_the_patches_outside_it_out(workspace, version):
    half = build_small(workspace, roi=Roi((Shape("rectangle", ((0.0, 0.0), (32.0, 64.0))),), 64, 64))
    assert half.numbers["total_patches"] == version.numbers["total_patches"] // 2


def test_nothing_is_left_of_a_cancelled_build(workspace):
    with pytest.raises(Cancelled):
        build(
            workspace,
            BuildSettings(name="Plate", **SMALL),
            store_plates(workspace, 4),
            inspector_id="plate-1",
            cancelled=lambda: True,
        )
    assert list_inspectors(workspace) == [] and list((workspace.root / "inspectors").iterdir()) == []


def test_a_row_that_cannot_be_written_leaves_no_version(workspace, monkeypatch):
    monkeypatch.setattr(workspace, "place_folder", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        build_small(workspace)
    assert find_inspector(workspace, "plate-1") is None
    with workspace.database.read() as session:
        assert session.scalars(select(InspectorVersion)).all() == []


def test_a_build_on_one_image_names_the_missing_ones(workspace):
    with pytest.raises(NoImagesError):
        submit_build(workspace, BuildSettings(name="Plate"), store_plates(workspace, 1) * 2)
    with pytest.raises(NoImagesError, match="two different good images"):
        build_small(workspace, 1)


@pytest.fixture
def queue(workspace):
    queue = JobQueue(workspace).start()
    yield queue
    end_all(workspace)
    wait_until(lambda: not queue._children)
    queue.stop()


def has_ended(job):
    return job.state == JobState.INTERRUPTED or job.attempts == 2


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # on PostgreSQL: test_survival.py
def test_a_build_that_is_killed_goes_on_where_it_was(workspace, queue):
    images = store_plates(workspace, 60)
    job_id = submit_build(workspace, BuildSettings(name="Plate", image_size=128, coreset=0.02), images)
    wait_until(lambda: requests.get_job(workspace, job_id).done > 20, seconds=120)
    psutil.Process(requests.get_job(workspace, job_id).pid).kill()
    # Killed between two images, it waits for a person; killed on one, it goes on by itself and counts a death for it.
    wait_until(lambda: has_ended(requests.get_job(workspace, job_id)))
    assert list_inspectors(workspace) == []
    kept = {
        path: path.stat().st_mtime_ns
        for path in requests.scratch_path(workspace, job_id).rglob("*")
        if path.is_file()
    }
    assert kept
    if requests.get_job(workspace, job_id).state == JobState.INTERRUPTED:
        requests.resume(workspace, job_id)
    wait_until(lambda: requests.get_job(workspace, job_id).state not in requests.UNFINISHED, seconds=120)
    job = requests.get_job(workspace, job_id)
    assert (job.state, job.message) == (JobState.DONE, "")
    (version,) = list_versions(workspace, job.result["inspector_id"])
    assert version.id == job.result["version_id"]
    assert len(good_images(workspace, version)) == 60
    wait_until(lambda: not requests.scratch_path(workspace, job_id).exists())  # just after the row says so


def test_a_job_that_died_after_its_version_was_stored_does_not_build_twice(workspace, version, monkeypatch):
    with workspace.database.write() as session:
        session.get(InspectorVersion, version.id).numbers = {**version.numbers, "job": 7}
    monkeypatch.setattr(building, "build", None)
    job = SimpleNamespace(id=7, arguments={"inspector_id": "plate-1"}, workspace=workspace)
    assert building.run_build(job) == {"inspector_id": "plate-1", "version_id": version.id}
