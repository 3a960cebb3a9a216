"""A batch is deleted with all that only it needs, and nothing else is."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import ADA, OLA, evidence, plate, scratch_mask, store_plates
from workbench.inspections.batches import create_batch, good_batch, list_batches
from workbench.inspections.history import decide
from workbench.inspections.history_query import Filter, read_page
from workbench.inspections.labels import set_label
from workbench.inspections.turns import rows
from workbench.inspectors.versions import get_version, good_images, set_operating_point
from workbench.jobs.requests import JobState, get_job
from workbench.people.roles import NotAllowed, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Batch, Event, Image, Inspection, Job, LabelChange, Watch
from workbench.storage.timestamps import now
from workbench.upkeep.batch_removal import contents, delete_batch
from workbench.upkeep.check import check
from workbench.upkeep.retention import delete_older, what_goes


def files(workspace, *folders):
    return {path for folder in folders for path in (workspace.root / folder).rglob("*") if path.is_file()}


def test_a_wrong_folder_leaves_no_trace_but_the_event(worked):
    before, results = files(worked, "images", "thumbnails"), files(worked, "results", "history")
    images = store_plates(worked, 5, first=60)
    mask = worked.store_image(scratch_mask(), "mask.png")
    images.append(worked.store_image(plate(70), "70.png", truth="scratch", mask_sha256=mask.sha256))
    batch = create_batch(worked, "plate-1", images, "wrong")
    worked.thumbnail(images[0].sha256)
    rows.keep(worked, (batch, 1), "Ada", stopped=True)
    found = contents(worked, batch)
    assert (found.images, found.scored, found.labelled, found.masks, found.pictures) == (6, 0, 1, 1, 7)
    assert found.size_bytes == sum(path.stat().st_size for path in files(worked, "images") - before)
    with acting(OLA), pytest.raises(NotAllowed, match="takes the role engineer"):
        delete_batch(worked, batch)
    with acting(ADA):
        assert delete_batch(worked, batch) == found
    assert files(worked, "images", "thumbnails") == before and files(worked, "results", "history") == results
    assert [one.name for one in list_batches(worked, "plate-1")] == ["Monday"]
    assert list(rows.list_rows(worked)) == [] and check(worked, grace=0) == []
    with worked.database.read() as session:
        event = session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert (event.action, event.person, event.details) == (
        "delete batch",
        "Ada",
        {"name": "wrong", "images": 6},
    )
    with pytest.raises(WorkspaceError, match="not there any more"):
        delete_batch(worked, batch)


def test_verdicts_stay_in_the_history_with_their_pictures_and_maps_go(worked):
    decide(worked, 1, "fine")
    set_label(worked, 3, "good")
    found = contents(worked, 1)
    assert (found.scored, found.labelled, found.verdicts, found.decided) == (3, 3, 3, 1)
    assert found.pictures == 0  # the history shows them
    pictures, overlays = files(worked, "images"), files(worked, "history")
    delete_batch(worked, 1)
    assert files(worked, "images") == pictures and files(worked, "history") == overlays
    assert files(worked, "results") == set() and check(worked, grace=0) == []
    page = read_page(worked, Filter()).rows
    assert sorted(row.name for row in page) == ["good/009.png", "scratch/020.png", "scratch/021.png"]
    assert [row.decision for row in page].count("fine") == 1
    with worked.database.read() as session:
        assert session.scalar(select(func.count(LabelChange.id))) == 0


def test_pictures_that_something_else_needs_stay(worked):
    version = get_version(worked, 1)
    shared = store_plates(worked, 1, first=80)[0]
    good = replace(shared, sha256=good_images(worked, version)[0].sha256)
    create_batch(worked, "plate-1", [shared], "other")
    batch = create_batch(worked, "plate-1", [good, shared, *store_plates(worked, 1, first=81)], "wrong")
    again = create_batch(worked, "plate-1", store_plates(worked, 1, first=82), "wrong too")
    assert contents(worked, batch).pictures == 1
    store_plates(worked, 1, first=82)  # somebody brings the picture in once more, and has no batch yet
    assert contents(worked, again).pictures == 0
    delete_batch(worked, batch)
    delete_batch(worked, again)
    with worked.database.read() as session:
        there = set(session.scalars(select(Image.sha256)))
    assert {good.sha256, shared.sha256} <= there and check(worked, grace=0) == []
    assert worked.image_path(store_plates(worked, 1, first=82)[0].sha256).is_file()


def test_evidence_of_the_threshold_in_force_is_named_and_kept(worked):
    version = get_version(worked, 1)
    set_label(worked, 3, "good")
    force = OperatingPoint.from_dict(version.operating_point)
    point = by_hand(30.0, evidence(worked, version, 1, "both"), force.bank_id, set_by="Ada")
    set_operating_point(worked, version, point)
    assert contents(worked, 1).evidence == 3
    pictures = files(worked, "images")
    delete_batch(worked, 1)
    assert files(worked, "images") == pictures
    assert OperatingPoint.from_dict(get_version(worked, 1).operating_point).reject == 30.0


def test_what_works_on_a_batch_forbids_its_deletion(worked):
    version = get_version(worked, 1)
    with pytest.raises(WorkspaceError, match="good images of a bank"):
        delete_batch(worked, good_batch(worked, version))
    with worked.database.write() as session:
        arguments = {"batch_id": 1, "bank_id": 1, "version_id": 1}
        job = Job(kind="sweep", title="Measuring", arguments=arguments, state=JobState.RUNNING)
        session.add(job)
    with pytest.raises(WorkspaceError, match="A job works on Monday: Measuring"):
        delete_batch(worked, 1)
    with worked.database.write() as session:
        session.get_one(Job, job.id).state = JobState.DONE
        watch = Watch(inspector_id="plate-1", folder="/parts", options={})
        session.add(watch)
        session.flush()
        session.get_one(Batch, 1).watch_id = watch.id
    with pytest.raises(WorkspaceError, match="/parts, which is watched"):
        delete_batch(worked, 1)
    with worked.database.write() as session:
        session.get_one(Watch, watch.id).stopped = job.created
    delete_batch(worked, 1)
    assert get_job(worked, job.id).arguments["batch_id"] is None  # the number may come again


def test_retention_deletes_the_pictures_that_a_deleted_batch_has_left_to_the_history(worked):
    delete_batch(worked, 1)
    with worked.database.write() as session:
        hashes = set(session.scalars(select(Inspection.sha256)))
        for row in session.scalars(select(Inspection)):
            row.created = now() - timedelta(days=400)
    for path in files(worked, "images", "history", "thumbnails"):
        os.utime(path, (0, 0))
    assert what_goes(worked, 12).pictures == len(hashes) == 3
    assert delete_older(worked, 12).pictures == 3
    assert not any(path.name[:64] in hashes for path in files(worked, "images"))
    assert check(worked, grace=0) == []
