"""Files on which processes die: counted, set aside after the third, tried again when asked; processes really die."""

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patchcore.disk.work_notes import FORGOTTEN_AFTER, READ, SCORE, STOPPED, TRIES, WorkNotes

ROOT = Path(__file__).parents[3]
A, B = "a" * 64, "b" * 64
DYING = """
import os, signal, sys
from contextlib import ExitStack
from pathlib import Path
from patchcore.disk.work_notes import WorkNotes
notes = WorkNotes(Path(sys.argv[1]))
with ExitStack() as stack:
    for sha256 in sys.argv[3:]:
        stack.enter_context(notes.in_work(sha256, sha256[:3] + ".png"))
    os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "in_work"


def die(folder, *files, number=signal.SIGKILL):
    """Have a process note files and die of a signal; return its number."""
    process = subprocess.Popen([sys.executable, "-c", DYING, str(folder), str(int(number)), *files], cwd=ROOT)
    assert process.wait(20) != 0
    return process.pid


def deaths(folder):
    """The deaths by file, as the folder holds them."""
    return {
        path.name[:1]: json.loads(path.read_text(encoding="utf-8"))["deaths"]
        for path in folder.glob("*.json")
    }


def test_file_is_refused_after_three_deaths_and_another_one_never(folder):
    for count in range(TRIES):
        notes = WorkNotes(folder)
        assert notes.refusal(A) == "" and deaths(folder) == ({"a": count} if count else {})
        die(folder, A)
    notes = WorkNotes(folder)
    reason = notes.refusal(A)
    assert reason.startswith(STOPPED) and f"{datetime.now(UTC):%Y-%m}" in reason and "Save the file" in reason
    assert notes.refusal(B) == "" and notes.suspects() == {A: "aaa.png"}
    notes.forget(A)
    assert notes.refusal(A) == "" and notes.suspects() == {}


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_any_sudden_end_counts(folder, number):
    pid = die(folder, A, number=number)
    assert WorkNotes(folder).explains(pid) and deaths(folder) == {"a": 1}


def test_files_beside_each_other_are_suspects_without_a_death(folder):
    die(folder, A, B)
    notes = WorkNotes(folder)
    assert notes.suspects().keys() == {A, B} and deaths(folder) == {"a": 0, "b": 0}
    with notes.in_work(B, "b.png"):
        pass
    assert deaths(folder) == {"a": 0}
    die(folder, A)
    assert WorkNotes(folder).suspects().keys() == {A} and deaths(folder) == {"a": 1}


def test_suspect_is_alone_in_its_process(folder):
    die(folder, A, B)
    notes, together, most = WorkNotes(folder), [], []

    def work(sha256):
        with notes.in_work(sha256, sha256):
            together.append(sha256)
            most.append(len(together))
            time.sleep(0.05)
            together.remove(sha256)

    threads = [threading.Thread(target=work, args=(sha256,)) for sha256 in (A, "c" * 64, B, "d" * 64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(most) == 4 and deaths(folder) == {}
    assert max(most) <= 2  # only c and d may meet


def test_end_in_order_counts_nothing(folder):
    script = DYING.replace("os.kill(os.getpid(), int(sys.argv[2]))", "sys.exit(1)")
    subprocess.run([sys.executable, "-c", script, str(folder), "0", A], cwd=ROOT, check=False)
    ended = DYING.replace("os.kill(os.getpid(), int(sys.argv[2]))", "notes.close(); os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", ended, str(folder), "0", A], cwd=ROOT, check=False)
    assert WorkNotes(folder).suspects() == {} and list(folder.glob("*.note")) == []


def test_error_takes_the_note_away_and_keeps_earlier_deaths(folder):
    die(folder, A)
    notes = WorkNotes(folder)
    with pytest.raises(KeyboardInterrupt), notes.in_work(A, "a.png"):
        raise KeyboardInterrupt
    notes.close()
    assert deaths(folder) == {"a": 1} and WorkNotes(folder).refusal(A) == ""


def test_process_that_was_ended_on_purpose_is_forgiven(folder):
    pid, other = die(folder, A), die(folder, B)
    notes = WorkNotes(folder)
    assert pid != other
    notes.forgive(other)
    assert notes.explains(pid) and not notes.explains(other)


def test_reading_clears_no_death_of_scoring(folder):
    die(folder, A)
    notes = WorkNotes(folder)
    notes.count_deaths()
    (folder / f"{A}-{READ}.json").rename(folder / f"{A}-{SCORE}.json")
    with notes.in_work(A, "a.png", READ):
        pass
    assert deaths(folder) == {"a": 1}
    with notes.in_work(A, "a.png", SCORE):
        pass
    assert deaths(folder) == {}


def test_living_process_is_not_counted_and_deaths_grow_old(folder):
    living = WorkNotes(folder)
    with living.in_work(A, "a.png"):
        other = WorkNotes(folder)
        other.count_deaths()
        assert other.suspects() == {} and len(list(folder.glob("*.note"))) == 1
    die(folder, B)
    other.count_deaths()
    (record,) = folder.glob("*.json")
    values = json.loads(record.read_text(encoding="utf-8"))
    values["at"] = (datetime.now(UTC) - FORGOTTEN_AFTER - timedelta(hours=1)).isoformat()
    record.write_text(json.dumps(values), encoding="utf-8")
    assert other.suspects() == {}
    other.count_deaths()
    assert list(folder.glob("*.json")) == []


def test_place_where_nothing_can_be_written_hinders_no_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    notes = WorkNotes(tmp_path / "file" / "in_work")
    with notes.in_work(A, "a.png"):
        assert notes.refusal(B) == ""


def test_damaged_notes_are_nothing(folder):
    folder.mkdir()
    (folder / "host-1-ab.note").write_bytes(b"\x00\xff[{")
    (folder / f"{A}-read.json").write_text("[]", encoding="utf-8")
    notes = WorkNotes(folder)
    assert notes.refusal(A) == "" and notes.suspects() == {}
