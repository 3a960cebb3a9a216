"""Watched folders of the dashboard: who may start one and where, and that it goes on by itself."""

import json
import time
from dataclasses import replace

import psutil
import pytest
from sqlalchemy import select

from patchcore.errors import NoImagesError, SettingsError
from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.parts import ADA, OLA, plate
from tests.workbench.processes import wait_until
from workbench.inspections.batches import list_batches, list_results
from workbench.inspectors.versions import get_version, set_operating_point
from workbench.jobs import requests
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState
from workbench.people.roles import NotAllowed, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Event, Inspection, Job, Watch, WatchedFile
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import back_up
from workbench.upkeep.bin import delete_for_good, delete_inspector, list_bin
from workbench.upkeep.check import check
from workbench.uploads.intake import FolderError
from workbench.watching import standing
from workbench.watching.standing import WatchOptions, list_watches, start_again, start_watch, stop_watch

QUICK = WatchOptions(settle=0.1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    (tmp_path / "line 3").mkdir()
    return tmp_path / "line 3"


@pytest.fixture
def queue(workspace):
    """A queue that runs real jobs; nothing is left running."""
    running = JobQueue(workspace).start()
    yield running
    for watch in list_watches(workspace):
        stop_watch(workspace, watch.id)
    wait_until(lambda: not running._children)
    running.stop()


def start(workspace, folder, options=QUICK):
    return start_watch(workspace, "plate-1", str(folder), options)


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def job(workspace):
    return requests.list_jobs(workspace)[0]


# The queries meet PostgreSQL in test_job.py, the process in test_survival.py.
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_watch_scores_arriving_images_by_the_thresholds_in_force_and_survives_kill_9(
    workspace, version, folder, queue, tmp_path
):
    places = {"move_to": str(tmp_path / "sorted"), "lines_to": str(tmp_path / "lines.jsonl")}
    options = replace(QUICK, outputs=places)
    watch_id = start(workspace, folder, options)
    (folder / "a.png").write_bytes(plate(60, scratched=True))
    (folder / "b.png").write_bytes(plate(61))
    wait_until(lambda: len(list((tmp_path / "sorted").rglob("*.png"))) == 2)
    assert (tmp_path / "sorted/reject/a.png").exists()
    point = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(workspace, version, replace(point, accept=1e6, reject=1e6, picture_check=False))
    (folder / "c.png").write_bytes(plate(62, scratched=True))
    wait_until((tmp_path / "sorted/accept/c.png").exists)  # at the thresholds of now

    process = psutil.Process(job(workspace).pid)
    process.kill()
    (folder / "d.png").write_bytes(plate(63))
    written = tmp_path / "lines.jsonl"  # the last output of an image
    wait_until(lambda: len(written.read_text(encoding="utf-8").splitlines()) == 4)
    wait_until(lambda: list_watches(workspace, "plate-1")[0].today == 4)
    (state,) = list_watches(workspace, "plate-1")
    assert (tmp_path / "sorted/accept/d.png").exists()
    assert (state.id, state.folder, state.today) == (watch_id, str(folder), 4)
    assert (state.last.file, state.last.verdict, state.job_state) == ("d.png", "accept", JobState.RUNNING)
    assert job(workspace).attempts == 2

    lines = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert sorted(one["file"] for one in lines) == ["a.png", "b.png", "c.png", "d.png"]
    (batch,) = list_batches(workspace, "plate-1")
    assert batch.name.startswith("Watched line 3 20") and batch.watch_id == watch_id
    assert standing.is_watched(workspace, batch) and state.batch_id == batch.id
    results = list_results(workspace, batch.id, version.id)
    assert {one.image.name: one.score for one in results} == {one["file"]: one["score"] for one in lines}
    inspections = rows(workspace, Inspection)
    assert {(one.name, one.verdict) for one in inspections} == {
        (one["file"], one["verdict"]) for one in lines
    }
    assert {one.source for one in inspections} == {"watch"} and len(rows(workspace, WatchedFile)) == 4

    pid, asked = job(workspace).pid, time.monotonic()
    stop_watch(workspace, watch_id)
    wait_until(lambda: job(workspace).state == JobState.CANCELLED and not psutil.pid_exists(pid))
    assert time.monotonic() - asked < 2 and list_watches(workspace) == []
    assert not standing.is_watched(workspace, batch)
    assert check(workspace, grace=0) == []
    assert [event.action for event in rows(workspace, Event) if "watch" in event.action] == [
        "start watch",
        "stop watch",
    ]


def test_a_watch_that_failed_says_why_and_can_be_started_again(workspace, version, folder):
    watch_id = start(workspace, folder)
    with workspace.database.write() as session:
        row = session.get(Job, job(workspace).id)
        row.state, row.message = JobState.FAILED, "The network is missing."
    assert list_watches(workspace)[0].trouble == "The network is missing."
    with pytest.raises(WorkspaceError, match="until it is stopped where it was started"):
        requests.discard(workspace, job(workspace).id)
    start_again(workspace, watch_id)
    with pytest.raises(WorkspaceError, match="until it is stopped where it was started"):
        requests.cancel(workspace, job(workspace).id)
    assert list_watches(workspace)[0].trouble == "" and job(workspace).state == JobState.QUEUED
    stop_watch(workspace, watch_id)
    assert job(workspace).state == JobState.CANCELLED


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # no matter of the database
class TestStarting:
    def test_only_an_engineer_starts_and_stops(self, workspace, version, folder):
        with acting(OLA), pytest.raises(NotAllowed, match="may not watch folders"):
            start(workspace, folder)
        with acting(ADA):
            watch_id = start(workspace, folder)
        with acting(OLA), pytest.raises(NotAllowed, match="may not stop"):
            stop_watch(workspace, watch_id)
        with acting(OLA), pytest.raises(NotAllowed):
            start_again(workspace, watch_id)
        (state,) = list_watches(workspace)
        assert state.made_by == job(workspace).made_by == "Ada" and state.job_state == JobState.QUEUED

    def test_folder_outside_of_the_open_folders_is_refused(self, workspace, version, folder, tmp_path):
        for place in ("/etc", str(tmp_path / ".."), str(workspace.root)):
            with pytest.raises(FolderError):
                start(workspace, place)
        with pytest.raises(FolderError):
            start(workspace, folder, WatchOptions(outputs={"move_to": "/etc"}))
        with pytest.raises(NoImagesError):
            start(workspace, folder / "nowhere")
        with pytest.raises(SettingsError, match="is a folder"):
            start(workspace, folder, WatchOptions(outputs={"lines_to": str(tmp_path)}))
        (tmp_path / "accept").mkdir()
        with pytest.raises(SettingsError, match="files are moved to"):
            start(workspace, tmp_path / "accept", WatchOptions(outputs={"move_to": str(tmp_path)}))
        assert list_watches(workspace) == [] and requests.list_jobs(workspace) == []

    def test_folder_is_watched_once_also_from_above_and_below(self, workspace, version, folder, monkeypatch):
        (folder / "below").mkdir()
        watch_id = start(workspace, folder, replace(QUICK, subfolders=True))
        for place in (folder, folder / "below"):
            with pytest.raises(Exception, match="line 3 is watched already"):
                start(workspace, place)
        stop_watch(workspace, watch_id)
        start(workspace, folder / "below")
        with pytest.raises(Exception, match="below is watched already"):
            start(workspace, folder, replace(QUICK, subfolders=True))
        start(workspace, folder)
        monkeypatch.setattr(standing, "STANDING", {"watch": 2})
        (folder / "third").mkdir()
        with pytest.raises(Exception, match="2 folders are watched already, as many as may be"):
            start(workspace, folder / "third")

    def test_restored_backup_watches_no_folder(self, workspace, version, folder, tmp_path):
        start(workspace, folder)
        back_up(workspace, tmp_path / "all.zip")
        restore(tmp_path / "all.zip", tmp_path / "copy")
        copy = Workspace(tmp_path / "copy")
        assert list_watches(copy) == [] and job(copy).state == JobState.CANCELLED
        copy.close()
        assert len(list_watches(workspace)) == 1 and get_version(workspace, 1).number == 1

    def test_watching_inspector_cannot_be_deleted_for_good_until_its_watch_is_stopped(
        self, workspace, version, folder
    ):
        watch_id = start(workspace, folder)
        with pytest.raises(WorkspaceError, match="watches the folder"):
            delete_inspector(workspace, "plate-1")
        stop_watch(workspace, watch_id)
        delete_inspector(workspace, "plate-1")
        with pytest.raises(WorkspaceError, match="in use"):
            start(workspace, folder)
        delete_for_good(workspace, list_bin(workspace))
        assert rows(workspace, Watch) == [] and check(workspace, grace=0) == []
