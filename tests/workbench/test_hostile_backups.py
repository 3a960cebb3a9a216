"""Backups made to do harm: refused with the reason, or restored and lived in, and no neighbour changes by a byte."""

import os
import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.workbench.hostile_backups import BACKUPS, Altered
from tests.workbench.neighbours import beside, live_in, settle_neighbours
from tests.workbench.parts import SMALL
from workbench.inspectors.building import BuildSettings
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, get_job, list_jobs
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Image, Inspection, Job, Preference, Watch, WatchedFile
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import back_up
from workbench.watching.verdict import VerdictRecord

ACCEPTED = [name for name, (_, reason) in BACKUPS.items() if reason is None]
REFUSED = [name for name in BACKUPS if name not in ACCEPTED]


@pytest.fixture(autouse=True)
def _sqlite(monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, worked_in):
    """A backup of a workspace that has something of everything: jobs, a watch, an old inspection, a rule for these."""
    root = tmp_path_factory.mktemp("whole") / "there"
    shutil.copytree(worked_in, root)
    workspace = Workspace(root)
    with workspace.database.write() as session:
        images = list(session.scalars(select(Image.sha256).limit(3)))
        arguments = {
            "inspector_id": "plate-1",
            "settings": BuildSettings(name="Plate", **SMALL).to_dict(),
            "images": [[sha256, f"{sha256[:4]}.png"] for sha256 in images],
        }
        build = Job(
            kind="build", title="Build Plate", arguments=arguments, state=JobState.QUEUED, made_by="Ada"
        )
        watch = Job(
            kind="watch", title="Watching in", arguments={}, state=JobState.INTERRUPTED, made_by="Ada"
        )
        session.add_all([build, watch])
        session.flush()
        watched = Watch(inspector_id="plate-1", folder="/in", options={}, job_id=watch.id)
        session.add(watched)
        session.flush()
        watch.arguments = {"watch_id": watched.id}
        told = VerdictRecord("a.png", 3, 5, "", now().isoformat(), "P").to_dict()
        session.add(WatchedFile(folder="/in", path="a.png", size_bytes=3, modified="5", told=told))
        session.add(Preference(name="retention", value={"months": 1}))
        session.execute(
            update(Inspection).where(Inspection.id == 1).values(created=now() - timedelta(days=900))
        )
    back_up(workspace, root.parent / "whole.zip")
    workspace.close()
    return root.parent / "whole.zip"


@pytest.fixture
def altered(whole, tmp_path):
    """What writes an altered backup by its name."""

    def write(name):
        backup = Altered(whole)
        BACKUPS[name][0](backup)
        return backup.write(tmp_path / "altered.zip")

    return write


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_the_reason_and_nothing_is_written(altered, tmp_path, name):
    path, target = altered(name), settle_neighbours(tmp_path / "box")
    before = beside(tmp_path, target)
    with pytest.raises(WorkspaceError, match=BACKUPS[name][1]):
        restore(path, target)
    assert beside(tmp_path, target) == before and not target.exists()


def test_those_that_are_accepted_change_no_neighbour_whatever_is_done_in_them(altered, tmp_path):
    for name in ACCEPTED:
        box = tmp_path / name.replace(" ", "-")
        path, target = altered(name), settle_neighbours(box)
        before = beside(box, target)
        with_workspace = restore(path, target)
        workspace = Workspace(with_workspace.workspace)
        assert _unfinished(workspace) == [JobState.INTERRUPTED], name
        live_in(workspace)
        workspace.close()
        assert beside(box, target) == before, name
        assert not (target / "inspectors" / "plate-1").exists(), name  # it was lived in
    assert len(BACKUPS) >= 20


def _unfinished(workspace):
    return [job.state for job in list_jobs(workspace) if job.state not in (JobState.DONE, JobState.CANCELLED)]


def test_what_is_refused_leaves_no_folder_that_was_made_for_it(altered, tmp_path):
    path = altered("empty id")
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for target in (tmp_path / "a" / "b" / "c", tmp_path / "there"):
        with pytest.raises(WorkspaceError):
            restore(path, target)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ACCEPTED)
def test_no_job_begins_by_itself(altered, tmp_path, name):
    restore(altered(name), tmp_path / "new")
    workspace = Workspace(tmp_path / "new")
    queue = JobQueue(workspace, command=("touch", str(tmp_path / "began")))
    queue.step()
    assert queue._children == {} and not (tmp_path / "began").exists()
    jobs = {job.kind: job for job in list_jobs(workspace) if job.arguments}
    assert (jobs["build"].state, jobs["watch"].state) == (JobState.INTERRUPTED, JobState.CANCELLED)
    assert all(job.message and job.pid is None and job.host is None for job in jobs.values())
    with workspace.database.read() as session:
        assert all(row.stopped is not None for row in session.scalars(select(Watch)))
        assert all(row.finished is not None for row in session.scalars(select(WatchedFile)))
    assert get_job(workspace, 1).state == JobState.DONE
    workspace.close()


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_what_is_restored_is_open_to_its_owner_alone(altered, tmp_path):
    restore(altered("nothing altered"), tmp_path / "x" / "new")
    folders = [path for path in (tmp_path / "x" / "new").rglob("*") if path.is_dir()]
    assert len(folders) > 12
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "x" / "new", *folders)} == {0o700}
