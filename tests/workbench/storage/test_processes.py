"""Processes: known again after the clock was set; temporary files stay while their process lives."""

import os

import psutil
import pytest

from workbench.jobs.queue import JobQueue
from workbench.storage.processes import (
    Start,
    delete_leftovers,
    find,
    is_being_written,
    start_of,
    temporary_name,
)


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


def move_clock(monkeypatch, seconds):
    """Have the starts of processes by the time of day move, as they do when the clock is set."""
    before = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: before(self) + seconds)


@pytest.mark.parametrize("seconds", [-3600.0, 3.0, 86_400.0 * 9000])
def test_a_clock_that_is_set_makes_no_process_another(workspace, ended, monkeypatch, seconds):
    me = psutil.Process()
    start, name = start_of(me), temporary_name("x.png")
    move_clock(monkeypatch, seconds)
    assert find(me.pid, start).pid == me.pid and find(ended, start) is None
    assert find(me.pid, start._replace(seconds=start.seconds - 0.02)) is None
    assert find(me.pid, start._replace(boot="another")) is None
    path = put(workspace, name, seconds_ago=5 * 3600)
    assert is_being_written(path)
    assert not is_being_written(put(workspace, name.replace(start.mark, "0" * 8)))


def test_a_start_that_a_program_of_before_kept_is_still_known(ended):
    me = psutil.Process()
    assert find(me.pid, Start(me.create_time(), None)) is not None
    assert find(me.pid, Start(me.create_time() - 60, None)) is None
