"""The rows and pictures that the standing job stores of arriving images."""

import io
import threading
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from sqlalchemy import select

from patchcore.errors import Outdated
from patchcore.thresholds.operating_point import OperatingPoint
from tests.odd_pictures import odd_pictures
from tests.workbench.parts import plate
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.history import get_inspection
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Batch, Inspection, Inspector, InspectorVersion, WatchedFile
from workbench.storage.timestamps import now
from workbench.upkeep.check import check
from workbench.watching import job
from workbench.watching.folder import FileKey
from workbench.watching.job import WatchJudge, prepare_run
from workbench.watching.standing import (
    WatchOptions,
    get_watch,
    is_watched,
    list_watches,
    start_watch,
    stop_watch,
)

SEE_THROUGH = "Transparent pixels are shown on white."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def watch(workspace, version, folder):
    return get_watch(workspace, start_watch(workspace, "plate-1", str(folder), WatchOptions(settle=0.05)))


@pytest.fixture
def arrive(workspace, watch, folder):
    """Give what puts files into the folder and works them off."""

    def work(**files):
        for name, data in files.items():
            (folder / f"{name}.png").write_bytes(data)
        run = prepare_run(workspace, watch, stop=threading.Event(), report=lambda _: None)
        run.watcher.broken_after = 0.2
        tally = run.run(once=True)
        run.journal.close()
        return tally

    return work


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_broken_images_are_shown_with_their_reason_beside_the_others(workspace, version, arrive):
    tally = arrive(a=plate(60, scratched=True), cut=plate(61)[:500], empty=b"")
    assert (tally.scored, tally.broken) == (1, 2)
    (batch,) = list_batches(workspace, "plate-1")
    by_name = {one.image.name: one for one in list_results(workspace, batch.id, version.id)}
    assert set(by_name) == {"a.png", "cut.png"}  # nothing can be shown of an empty one
    assert by_name["cut.png"].score is None and "truncated" in by_name["cut.png"].error
    inspections = {row.name: row for row in rows(workspace, Inspection)}
    assert inspections["a.png"].batch_image_id == by_name["a.png"].batch_image_id
    assert "empty" in inspections["empty.png"].error and inspections["empty.png"].version_number == 1
    files = rows(workspace, WatchedFile)
    assert all(file.finished for file in files)
    assert {get_inspection(workspace, file.inspection_id).name for file in files} == set(inspections)
    assert check(workspace, grace=0) == [] and arrive().scored == 0


def test_remarks_stand_in_result_history_and_verdict_and_are_said_once(workspace, version, arrive, capsys):
    see_through = odd_pictures(np.asarray(PIL.Image.open(io.BytesIO(plate(60)))))["see-through.png"]
    tally = arrive(a=see_through, b=see_through + b" ", c=plate(61))
    (batch,) = list_batches(workspace, "plate-1")
    wanted = {"a.png": [SEE_THROUGH], "b.png": [SEE_THROUGH], "c.png": []}
    results = list_results(workspace, batch.id, version.id)
    assert {one.image.name: one.remarks for one in results} == wanted
    assert {row.name: row.remarks for row in rows(workspace, Inspection)} == wanted
    assert {file.path: file.told["remarks"] for file in rows(workspace, WatchedFile)} == wanted
    assert tally.remarks.repeated() == [f"2 of 3 images (a.png, b.png): {SEE_THROUGH}"]
    assert capsys.readouterr().out.count(SEE_THROUGH) == 1


def test_batch_holds_images_of_one_day_up_to_a_largest_number(workspace, arrive, monkeypatch):
    monkeypatch.setattr(job, "BATCH_IMAGES", 2)
    arrive(a=plate(60), b=plate(61), c=plate(62))
    first, second = rows(workspace, Batch)
    assert (
        second.name == f"{first.name}, part 2" and first.name == f"Watched in {now().astimezone():%Y-%m-%d}"
    )
    with workspace.database.write() as session:
        for batch in (first, second):
            session.get(Batch, batch.id).name = "Watched in 2026-01-01"  # as if a night had passed
    arrive(d=plate(63))
    assert rows(workspace, Batch)[-1].name == first.name


def test_a_watch_says_what_it_judged_today_and_which_batch_still_grows(workspace, watch, arrive, monkeypatch):
    monkeypatch.setattr(job, "BATCH_IMAGES", 2)
    arrive(a=plate(60), b=plate(61), c=plate(62))
    full, growing = rows(workspace, Batch)
    (state,) = list_watches(workspace, "plate-1")
    last = max(rows(workspace, WatchedFile), key=lambda file: file.id)
    assert (state.id, state.today, state.last.file, state.batch_id) == (watch.id, 3, last.path, growing.id)
    assert not is_watched(workspace, full) and is_watched(workspace, growing)
    stop_watch(workspace, watch.id)
    assert list_watches(workspace) == [] and not is_watched(workspace, growing)


def test_image_judged_by_another_share_of_the_bank_is_judged_again(workspace, version, watch, folder, arrive):
    judge, data = WatchJudge(workspace, watch), plate(60)
    judged = judge(FileKey("a.png", len(data), 1), data)
    with workspace.database.write() as session:
        session.get(InspectorVersion, version.id).share = 0.1
    with pytest.raises(Outdated), workspace.database.write() as session:
        judge.keep(session, judged)
    assert rows(workspace, Inspection) == [] and list_batches(workspace, "plate-1") == []
    assert arrive(a=data).scored == 1
    repeated = judge(judged.record.key, data)
    assert rows(workspace, Inspection)[0].score == repeated.record.score != judged.record.score


def test_stale_thresholds_judge_no_image(workspace, version, arrive):
    with workspace.database.write() as session:
        row = session.get(InspectorVersion, version.id)
        point = OperatingPoint.from_dict(row.operating_point)
        row.operating_point = replace(point, stale="The bank has changed.").to_dict()
    tally = arrive(a=plate(60))
    assert tally.last.score is not None and tally.last.verdict is None
    assert rows(workspace, Inspection)[0].verdict is None


def test_deleted_inspector_judges_no_image(workspace, watch, arrive):
    with workspace.database.write() as session:
        session.get(Inspector, "plate-1").deleted = now()
    with pytest.raises(WorkspaceError, match="has been deleted"):
        arrive(a=plate(60))
