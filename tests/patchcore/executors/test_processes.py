"""Processes that finish, die, fail and are stopped; the parts here are small sums, and nothing heavy is imported."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from patchcore.disk import work_notes
from patchcore.disk.work_notes import TRIES, WorkNotes
from patchcore.errors import Cancelled, SettingsError, WorkerLost
from patchcore.executors import Processes
from tests.patchcore.executors.work import (
    Counting,
    Dying,
    Poisoned,
    Waiting,
    ends_at_the_start,
    heard,
    starts_and_breaks,
    starts_and_refuses,
)

ROOT = Path(__file__).resolve().parents[3]


def test_results_come_in_the_order_of_the_parts_and_each_process_starts_once(tmp_path):
    counts = []
    found = Processes(2).run(Counting(tmp_path), [5, 1, 4, 2, 0], counts.append)
    assert [part for part, _ in found] == [5, 1, 4, 2, 0]
    assert counts == sorted(counts) and counts[-1] == 12
    started = {int(path.name.split("-")[1]) for path in tmp_path.glob("started-*")}
    assert {pid for _, pid in found} <= started and len(started) <= 2
    assert os.getpid() not in started
    assert multiprocessing.active_children() == []


def test_empty_list_of_parts_starts_no_process(tmp_path):
    assert Processes(2).run(Counting(tmp_path), [], heard) == []
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_replaced_and_its_part_is_run_again(tmp_path):
    counts = []
    found = Processes(1).run(Dying(tmp_path), [2, 3, 4], counts.append)
    assert [part for part, _ in found] == [2, 3, 4]
    assert len(list(tmp_path.glob("started-*"))) == 2
    assert counts == sorted(counts) and counts[-1] == 9


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_part_whose_process_keeps_dying_ends_the_run_with_a_sentence(tmp_path):
    with pytest.raises(
        WorkerLost, match="process of part 2 of 2 ended 3 times .* by signal 9.*fewer processes"
    ):
        Processes(1).run(Dying(tmp_path, times=9), [1, 3], heard)
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_part_whose_process_dies_on_a_file_outlives_the_deaths_of_that_file(tmp_path, monkeypatch):
    monkeypatch.setattr(work_notes, "_of_process", WorkNotes(tmp_path / "in_work"))
    found = Processes(1).run(Poisoned(tmp_path), [1], heard)
    assert [part for part, _ in found] == [1]
    assert len(list(tmp_path.glob("started-*"))) == TRIES + 1


def test_processes_that_end_before_their_first_part_are_not_started_for_ever():
    with pytest.raises(WorkerLost, match="A process of the build ended 3 times .* with exit code 3"):
        Processes(1).run(ends_at_the_start, [1], heard)


def test_error_of_a_part_reaches_the_caller_unchanged():
    with pytest.raises(SettingsError, match="part 7 does not fit") as caught:
        Processes(1).run(starts_and_refuses, [7], heard)
    assert "refuse" in caught.value.__notes__[0]


def test_error_that_cannot_be_pickled_arrives_as_its_text():
    with pytest.raises(RuntimeError, match="a fault of the program"):
        Processes(1).run(starts_and_breaks, [7], heard)


def test_a_listener_that_raises_stops_all_processes(tmp_path):
    def stop(done):
        if done == 2:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        Processes(2).run(Waiting(tmp_path), [1, 1], stop)
    assert len(list(tmp_path.glob("started-*"))) == 2
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_processes_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "build.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n"
        "from patchcore.executors import Processes\nfrom work import Waiting, heard\n"
        f"if __name__ == '__main__':\n    Processes(1).run(Waiting(Path({str(tmp_path)!r})), [1], heard)\n",
        encoding="utf-8",
    )
    parent = subprocess.Popen([sys.executable, str(script)])
    worker = int(eventually(lambda: [p.name for p in tmp_path.glob("started-*")])[0].split("-")[1])
    parent.kill()
    parent.wait()
    assert eventually(lambda: not alive(worker))


def alive(pid):
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def eventually(found, seconds=60):
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return value
