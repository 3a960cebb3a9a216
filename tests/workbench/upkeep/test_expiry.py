"""Expiry: everything that goes with old inspections is counted before, goes wholly, and nothing else goes."""

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, list_batches, list_results, score_batch
from workbench.inspectors.versions import get_version
from workbench.storage.tables import BatchImage, Image, Inspection, LabelChange, WatchedFile
from workbench.storage.timestamps import now
from workbench.upkeep import expiry
from workbench.upkeep.check import check, repair
from workbench.upkeep.expiry import Gone
from workbench.upkeep.retention import delete_older, what_goes

LONG_AGO = now() - timedelta(days=800)


def score(workspace, images, name="b"):
    version = get_version(workspace, 1)
    return list(score_batch(workspace, create_batch(workspace, version.inspector_id, images, name), version))


def age(workspace, *ids):
    """Make inspections old, and all files of the workspace."""
    with workspace.database.write() as session:
        old = update(Inspection).values(created=LONG_AGO)
        session.execute(old.where(Inspection.id.in_(ids)) if ids else old)
    for path in workspace.root.rglob("*"):
        if "workspace.db" not in path.name:
            os.utime(path, (LONG_AGO.timestamp(),) * 2)


def files(workspace):
    places = ("images", "results", "history", "thumbnails")
    return {path for place in places for path in (workspace.root / place).rglob("*.*")}


def hashes(workspace):
    with workspace.database.read() as session:
        return set(session.scalars(select(Image.sha256)))


def everything_goes(workspace, months=12):
    """Delete; what was counted before is what went, and the check finds nothing."""
    counted, before = what_goes(workspace, months), files(workspace)
    derived = {path for path in before if path.parent.parent.name == "thumbnails"}
    size = {path: path.stat().st_size for path in before}
    gone = delete_older(workspace, months)
    assert gone == counted
    assert gone.size_bytes == sum(size[path] for path in before - files(workspace) - derived)
    assert check(workspace, grace=0) == []
    return gone


@pytest.fixture
def aged(worked):
    """Six old inspections: of three labelled images, and of three without a label, one of which is in the bank."""
    score(worked, [*store_plates(worked, 2, first=40), *store_plates(worked, 1, first=0)], "unlabelled")
    with worked.database.write() as session:
        session.execute(update(BatchImage).where(BatchImage.name == "good/009.png").values(truth="good"))
    age(worked)
    return worked


def test_images_that_nothing_needs_go_with_rows_maps_and_overlays(aged):
    good, before = set(get_version(aged, 1).good_scores), hashes(aged)
    gone = everything_goes(aged)
    assert (gone.inspections, gone.pictures) == (6, 2)
    assert before - hashes(aged) == {image.sha256 for image in store_again(aged, 40, 41)}
    assert good <= hashes(aged) and not list((aged.root / "history").rglob("*.jpg"))
    assert [batch.name for batch in list_batches(aged, "plate-1")] == ["Monday"]
    assert len(list_results(aged, 1, 1)) == 3  # labelled: with their maps
    assert what_goes(aged, 12) == Gone()


def store_again(workspace, *numbers):
    return [store_plates(workspace, 1, first=number)[0] for number in numbers]


def test_younger_inspections_stay_with_the_files_they_share(aged):
    version = get_version(aged, 1)
    again = score(aged, store_again(aged, 40), "again")
    age(aged, 1, 2, 3, 4, 5, 6)
    shared = aged.root / again[0].map_path
    gone = everything_goes(aged)
    assert (gone.inspections, gone.pictures) == (6, 1)
    assert shared.is_file() and len(list_results(aged, again[0].image.batch_id, version.id)) == 1
    with aged.database.read() as session:
        assert session.scalars(select(Inspection.id)).all() == [7]
    assert what_goes(aged, 1200) == Gone()


def test_an_image_that_was_brought_again_lately_stays(aged):
    (image,) = store_again(aged, 40)
    gone = everything_goes(aged)
    assert gone.pictures == 1 and image.sha256 in hashes(aged)


def test_watched_files_stay_known_and_labels_of_deleted_images_go(aged):
    with aged.database.write() as session:
        session.add(
            WatchedFile(folder="/in", path="a.png", size_bytes=1, modified="1", inspection_id=4, told={})
        )
        fourth = session.get_one(Inspection, 4).batch_image_id
        session.add(LabelChange(batch_image_id=fourth, before=None, after="good", undone=now()))
    everything_goes(aged)
    with aged.database.read() as session:
        assert session.get_one(WatchedFile, 1).inspection_id is None
        assert session.scalars(select(LabelChange)).all() == []


def test_an_image_that_a_threshold_rests_on_or_a_job_will_read_stays(aged):
    from dataclasses import replace

    from patchcore.thresholds.operating_point import Evidence, OperatingPoint
    from workbench.inspectors.point_history import store_point
    from workbench.jobs.requests import submit

    version, (first, second) = get_version(aged, 1), store_again(aged, 40, 41)
    age(aged)
    point = OperatingPoint.from_dict(version.operating_point)
    store_point(aged, version, replace(point, evidence=Evidence(defect={first.sha256: 9.0})), "")
    submit(aged, "build", "Build", {"images": [{"sha256": second.sha256}]})
    assert everything_goes(aged).pictures == 0


def test_many_pieces_count_as_one_and_the_work_can_be_stopped_between_them(aged, monkeypatch):
    from patchcore.errors import Cancelled
    from workbench.upkeep.retention import deletions

    monkeypatch.setattr(expiry, "PIECE", 2)
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        delete_older(aged, 12, cancelled=lambda: next(asked))
    seen = []
    gone = delete_older(aged, 12, progress=lambda *at: seen.append(at))
    assert gone.inspections == 4 and [done for _, done, _ in seen] == [2, 4]
    assert [event.details["inspections"] for event in deletions(aged)] == [4, 2]
    assert sum(event.details["pictures"] for event in deletions(aged)) == 2
    assert check(aged, grace=0) == []


def test_a_crash_between_rows_and_files_leaves_files_that_the_check_finds(aged, monkeypatch):
    def killed(_piece):
        raise RuntimeError("killed")

    monkeypatch.setattr(expiry.Piece, "delete_files", killed)
    with pytest.raises(RuntimeError, match="killed"):
        delete_older(aged, 12)
    found = check(aged, grace=0)
    assert {finding.place.split("/")[0] for finding in found} == {"history", "images", "results"}
    assert all(one.done for one in repair(aged, found)) and check(aged, grace=0) == []


def test_a_file_that_was_written_again_meanwhile_is_left_alone(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 2 * expiry.LATELY,) * 2)
    expiry.Piece(Gone(), [old, new, tmp_path / "absent"]).delete_files()
    assert not old.exists() and new.exists()
