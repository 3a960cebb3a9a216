"""Files without rows: found when old enough, left alone while somebody may be about to name them."""

import os
import time

import psutil
import pytest

from tests.workbench.parts import plate
from workbench.jobs.requests import JobState, scratch_path
from workbench.storage.tables import Job
from workbench.upkeep.check import check
from workbench.upkeep.quarantine import Bin

HOUR_AGO = time.time() - 3600
SOMEBODY = "a" * 64


def put(path, data=b"x", *, old=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if old:
        os.utime(path, (HOUR_AGO, HOUR_AGO))
    return path


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = psutil.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("name", "trouble", "goes_to_the_bin"),
    [
        (f"images/aa/{SOMEBODY}.png", "an image that is not in the database", True),
        ("images/notes from Anna.txt", "an image that is not in the database", True),
        ("inspectors/p/v0007/model.patchcore", "a file of an inspector that is not in the database", True),
        (f"thumbnails/aa/{SOMEBODY}.jpg", "a thumbnail of an image", False),
        (f"results/1/{SOMEBODY}.png", "an anomaly map or tile without a result", False),
        (f"results/1/{SOMEBODY}.tile", "an anomaly map or tile without a result", False),
        (f"history/2026-03/{SOMEBODY[:16]}-1-abc.jpg", "an overlay without its inspection", False),
        ("temporary/{dead}-abc-model", "left by a write that was cut off", False),
    ],
)
def test_an_old_one_is_found_and_a_young_one_left_alone(worked, dead, name, trouble, goes_to_the_bin):
    path = put(worked.root / name.format(dead=dead))
    (finding,) = check(worked)
    assert finding.place == worked.relative(path) and finding.trouble.startswith(trouble)
    assert path.exists()  # looking changes nothing
    os.utime(path)
    assert check(worked) == []
    finding.repair(Bin(worked))
    assert path.exists()  # it was written again since
    os.utime(path, (HOUR_AGO, HOUR_AGO))
    finding.repair(Bin(worked))
    assert not path.exists()
    assert len(list(worked.root.glob(f"bin/*/{worked.relative(path)}"))) == goes_to_the_bin
    assert check(worked, grace=0) == []


def test_without_grace_a_young_one_is_found_too(worked):
    put(worked.root / "images" / "aa" / f"{SOMEBODY}.png", old=False)
    assert len(check(worked, grace=0)) == 1


def test_a_file_with_a_row_is_never_an_orphan(worked):
    for path in worked.root.rglob("*"):
        os.utime(path, (HOUR_AGO, HOUR_AGO))
    assert check(worked, grace=0) == []


def test_files_stored_during_the_check_are_left_alone(worked, monkeypatch):
    from workbench.upkeep import check as module

    original = module.kept_files

    def while_somebody_stores(workspace, connection):
        workspace.store_image(plate(77), "late.png")
        return original(workspace, connection)

    monkeypatch.setattr(module, "kept_files", while_somebody_stores)
    assert check(worked, grace=0) == []


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (JobState.DONE, True),
        (JobState.CANCELLED, True),
        (JobState.RUNNING, False),
        (JobState.QUEUED, False),
        (JobState.INTERRUPTED, False),
        (JobState.FAILED, False),
    ],
)
def test_checkpoints_are_kept_for_jobs_that_may_go_on(workspace, state, found):
    with workspace.database.write() as session:
        session.add(Job(kind="build", title="", arguments={}, state=state))
    rows = put(scratch_path(workspace, 1) / "rows.f32")
    log = put(workspace.job_folder(1) / "job.log")
    findings = check(workspace, grace=0)
    assert [finding.place for finding in findings] == (["jobs/1/scratch"] if found else [])
    for finding in findings:
        finding.repair(Bin(workspace))
    assert rows.exists() != found and log.exists()


@pytest.mark.parametrize("name", ["7", "seven"])
def test_the_folder_of_no_job_is_deleted(workspace, name):
    put(workspace.root / "jobs" / name / "scratch" / "rows.f32")
    (finding,) = check(workspace, grace=0)
    assert finding.place == f"jobs/{name}"
    finding.repair(Bin(workspace))
    assert check(workspace, grace=0) == []


def test_a_living_process_keeps_what_it_writes(workspace):
    put(workspace.root / "temporary" / f"{psutil.Process().pid}-abc-x.png", old=False)
    assert check(workspace, grace=0) == []


def test_drafts_are_whole_folders(workspace, dead):
    put(workspace.root / "temporary" / f"{dead}-abc-draft" / "model.patchcore")
    put(workspace.root / "temporary" / f"{dead}-abc-draft" / ".model.patchcore.1.part")
    (finding,) = check(workspace, grace=0)
    finding.repair(Bin(workspace))
    assert list((workspace.root / "temporary").iterdir()) == []
