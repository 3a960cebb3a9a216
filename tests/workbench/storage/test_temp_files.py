"""Temporary files: kept while their process lives, gone some time after it died."""

import os

import psutil
import pytest

from workbench.jobs.queue import JobQueue
from workbench.storage.temp_files import delete_leftovers, is_being_written


@pytest.fixture
def ended():
    """The number of a process that has ended."""
    process = psutil.Popen(["true"])
    process.wait()
    return process.pid


def put(workspace, name, *, seconds_ago=0.0):
    path = workspace.root / "temporary" / name
    path.write_text("half", encoding="utf-8")
    moment = path.stat().st_mtime - seconds_ago
    os.utime(path, (moment, moment))
    return path


def test_the_name_says_whose_it_is(workspace, ended):
    me = psutil.Process()
    assert is_being_written(put(workspace, f"{me.pid}-abc-x.png"))
    assert not is_being_written(put(workspace, f"{ended}-abc-x.png"))
    assert not is_being_written(put(workspace, "note.txt"))
    assert not is_being_written(put(workspace, f"{10**30}-abc-x.png"))


def test_a_later_process_of_the_same_number_does_not_keep_it(workspace):
    me = psutil.Process()
    path = put(workspace, f"{me.pid}-abc-x.png")
    os.utime(path, (me.create_time() - 60, me.create_time() - 60))
    assert not is_being_written(path)


def test_only_old_ones_of_the_dead_are_deleted_when_the_queue_starts(workspace, ended):
    mine = put(workspace, f"{os.getpid()}-abc-x.png")
    young = put(workspace, f"{ended}-abc-young")
    old = put(workspace, f"{ended}-abc-old", seconds_ago=601)
    folder = workspace.root / "temporary" / f"{ended}-abc-draft"
    (folder / "within").mkdir(parents=True)
    os.utime(folder, (old.stat().st_mtime, old.stat().st_mtime))
    JobQueue(workspace).start().stop()
    assert mine.exists() and young.exists() and not old.exists() and not folder.exists()
    delete_leftovers(workspace, age=0)
    assert mine.exists() and not young.exists()
