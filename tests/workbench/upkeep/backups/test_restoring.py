"""Restore: everything is there again and works, from either database into either."""

import socket

import numpy as np
import pytest
from sqlalchemy import text

from tests.workbench.parts import store_plates
from tests.workbench.postgresql import NEEDS_POSTGRESQL
from workbench.inspections.batches import create_batch, list_results, load_map, score_batch
from workbench.inspectors.versions import get_version
from workbench.jobs.requests import JobState, get_job, read_log, resume
from workbench.storage.database import WorkspaceError
from workbench.storage.roi import kept_region
from workbench.storage.tables import Job
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.portable_rows import dump_rows, tables_in_order
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import back_up


def lines(workspace):
    with workspace.database.snapshot() as connection:
        return {table.name: list(dump_rows(connection, table)) for table in tables_in_order()}


@pytest.fixture(params=["into sqlite", pytest.param("into postgresql", marks=NEEDS_POSTGRESQL)])
def goal(request, monkeypatch):
    """Where restored rows go; returns what sets it, after the backup was made with the first database."""
    if request.param == "into sqlite":
        return lambda: monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    server = request.getfixturevalue("postgresql").server
    name = server.make_database()
    request.addfinalizer(lambda: server.drop_database(name))
    return lambda: monkeypatch.setenv("PATCHCORE_DATABASE_URL", server.url(name))


def test_everything_is_there_again_and_works(worked, tmp_path, goal):
    back_up(worked, tmp_path / "all.zip")
    written = lines(worked)
    with worked.database.read() as session:
        scores = session.execute(text("SELECT id, score FROM results ORDER BY id")).all()
    goal()
    done = restore(tmp_path / "all.zip", tmp_path / "new" / "place")
    again = Workspace(done.workspace)
    assert again.root == tmp_path / "new" / "place" and done.lost == []
    assert lines(again) == written and done.rows == sum(map(len, written.values()))
    assert list(again.root.glob(".restoring*")) == []
    version = get_version(again, 1)
    results = list_results(again, 1, version.id)
    assert [(result.id, result.score) for result in results] == scores
    for result in results:
        theirs = load_map(again, result)
        assert np.array_equal(theirs, load_map(worked, result)) and theirs.max() > 0
    assert kept_region(again, results[0].image.sha256) is not None
    assert read_log(again, 1) == "it went well\n"
    batch = create_batch(
        again, version.inspector_id, store_plates(again, 1, first=20, scratched=True), "Tuesday"
    )
    (score,) = [result.score for result in score_batch(again, batch, version)]
    assert score == results[0].score
    again.database.close()


def test_a_job_that_was_running_comes_back_as_interrupted(workspace, tmp_path):
    with workspace.database.write() as session:
        job = Job(kind="build", title="", arguments={}, state=JobState.RUNNING)
        job.pid, job.process_started, job.host = 1, 1.0, socket.gethostname()
        session.add(job)
    back_up(workspace, tmp_path / "all.zip")
    workspace.database.close()
    with workspace.database.write_directly() as connection:
        connection.execute(text("DELETE FROM jobs"))
    restore(tmp_path / "all.zip", tmp_path / "new")
    again = Workspace(tmp_path / "new")
    job = get_job(again, 1)
    assert (job.state, job.pid, job.process_started, job.host) == (JobState.INTERRUPTED, None, None, None)
    assert "resumed" in job.message
    again.database.close()


@pytest.mark.parametrize(
    ("kind", "state", "then"),
    [
        ("build", JobState.QUEUED, JobState.INTERRUPTED),
        ("build", JobState.RUNNING, JobState.INTERRUPTED),
        ("retain", JobState.INTERRUPTED, JobState.INTERRUPTED),
        ("retain", JobState.QUEUED, JobState.INTERRUPTED),
        ("build", JobState.FAILED, JobState.FAILED),
        ("build", JobState.DONE, JobState.DONE),
        ("retain", JobState.CANCELLED, JobState.CANCELLED),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_no_job_comes_back_to_begin_by_itself(workspace, tmp_path, kind, state, then):
    with workspace.database.write() as session:
        job = Job(
            kind=kind, title="It", arguments={}, state=state, message="why" if state == "failed" else ""
        )
        job.pid, job.process_started, job.cancel_requested = 1, 1.0, now()
        session.add(job)
    back_up(workspace, tmp_path / "all.zip")
    restore(tmp_path / "all.zip", tmp_path / "new")
    again = Workspace(tmp_path / "new")
    job = get_job(again, 1)
    ended = state in (JobState.DONE, JobState.CANCELLED)
    assert job.state == then and bool(job.message) != ended
    assert ended or (job.pid, job.process_started, job.cancel_requested) == (None, None, None)
    if then == JobState.INTERRUPTED and kind == "retain":
        resume(again, 1)
        assert get_job(again, 1).state == JobState.QUEUED
    again.close()


def test_only_an_empty_folder_is_filled(workspace, tmp_path, monkeypatch):
    back_up(workspace, tmp_path / "all.zip")
    with pytest.raises(WorkspaceError, match="is not empty"):
        restore(tmp_path / "all.zip", workspace.root)
    (tmp_path / "file").write_text("precious", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="is not empty"):
        restore(tmp_path / "all.zip", tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "precious"
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    (tmp_path / "new").mkdir()
    assert restore(tmp_path / "all.zip", tmp_path / "new").rows == 0


def test_a_server_that_has_rows_is_left_alone(worked, tmp_path, database_kind):
    if database_kind == "sqlite":
        pytest.skip("a new folder has a database of its own")
    back_up(worked, tmp_path / "all.zip")
    written = lines(worked)
    with pytest.raises(WorkspaceError, match="is not empty: it has rows in images"):
        restore(tmp_path / "all.zip", tmp_path / "new")
    assert lines(worked) == written and not (tmp_path / "new").exists()
