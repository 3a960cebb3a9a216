"""Every file one verdict: with slow writers, broken files, a share that goes away, a full disk, and kill -9."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from patchcore.errors import NotKept
from tests.workbench.watching.watched import BROKEN_AFTER, Session, png, put
from workbench.storage.workspace import Workspace
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.outputs.lines import LineFile
from workbench.watching.outputs.moving import Mover

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Where the workspace is; its rows are in SQLite, which the tests read by themselves."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    return tmp_path / "here"


@pytest.fixture
def live(folder, root):
    """Give what begins a session in this process."""
    return lambda **options: Session(folder, root, **options)


@pytest.fixture
def working(live):
    """Give what runs a session in a thread; it is stopped at the end."""
    running = []

    def begin(**options):
        session = live(**options)
        thread = threading.Thread(target=session.run.run)
        thread.start()
        running.append((session, thread))
        return session

    yield begin
    for session, thread in running:
        session.stop.set()
        thread.join(10)
        assert not thread.is_alive()
        session.close()


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def stored_verdicts(root):
    """Return what the journal says of each verdict."""
    with closing(sqlite3.connect(root / "workspace.db")) as database:
        return [
            json.loads(verdict)
            for (verdict,) in database.execute("SELECT told FROM watched_files ORDER BY id")
        ]


def test_existing_files_are_judged_once_and_not_again_by_the_next_run(live, folder, root):
    for name, grey, age in [("b.png", 200, 5), ("a.png", 20, 1), ("c.png", 100, 9)]:
        put(folder, name, png(grey), age=age)
    tally = live().once()
    assert [(one["file"], one["verdict"]) for one in stored_verdicts(root)] == [
        ("c.png", "review"),
        ("b.png", "reject"),
        ("a.png", "accept"),
    ]
    assert (tally.scored, tally.broken, tally.last.file) == (3, 0, "a.png")
    assert live().once().scored == 0
    put(folder, "a.png", png(201))
    assert live().once().scored == 1
    assert [one["verdict"] for one in stored_verdicts(root) if one["file"] == "a.png"] == [
        "accept",
        "reject",
    ]


def test_a_file_written_in_pieces_by_another_process_is_judged_when_it_is_whole(working, folder):
    session = working()
    slow = (
        "import sys, time\n"
        "data = sys.stdin.buffer.read()\n"
        "for start in range(0, len(data), 40):\n"
        "    with open(sys.argv[1], 'ab') as file: file.write(data[start:start + 40])\n"  # closed in between
        "    time.sleep(0.06)\n"
    )
    data = png(200)
    subprocess.run([sys.executable, "-c", slow, str(folder / "a.png")], input=data, check=True)
    wait_until(lambda: session.run.tally.scored == 1)
    assert session.run.tally.last.size == len(data) and session.run.tally.last.error is None


def test_a_broken_file_is_reported_once_and_after_a_long_time_only(working, folder, tmp_path):
    began = time.monotonic()
    session = working(outputs=Outputs([Mover(folder, tmp_path / "out")]))
    put(folder, "cut.png", png(20)[:50])
    put(folder, "good.png", png(20))
    wait_until(lambda: session.run.tally.broken == 1)
    assert time.monotonic() - began >= BROKEN_AFTER
    assert session.run.tally.scored == 1 and session.said == ["cut.png: truncated"]
    time.sleep(3 * BROKEN_AFTER)
    assert session.run.tally.broken == 1 and (folder / "cut.png").exists()
    assert (tmp_path / "out/accept/good.png").exists()
    put(folder, "cut.png", png(20))  # copied again
    wait_until(lambda: session.run.tally.scored == 2)


def test_share_that_goes_away_is_reported_once_and_the_work_goes_on(working, folder, tmp_path):
    session = working()
    put(folder, "a.png", png(20))
    wait_until(lambda: session.run.tally.scored == 1)
    folder.rename(tmp_path / "gone")
    wait_until(lambda: session.run.tally.trouble)
    time.sleep(0.2)
    (tmp_path / "gone").rename(folder)
    put(folder, "b.png", png(20))
    wait_until(lambda: session.run.tally.scored == 2)
    away = f"{folder} is away (No such file or directory). Waiting until it is back."
    assert session.said == [away, f"{folder} is back."] and session.run.tally.trouble == ""


def test_full_disk_is_reported_once_and_no_verdict_is_delivered_before_it_is_stored(
    working, folder, tmp_path, monkeypatch
):
    session = working(outputs=Outputs([LineFile(tmp_path / "lines.jsonl")]))
    keep, full = session.journal.record, threading.Event()
    full.set()

    def record(judged):
        if full.is_set():
            raise NotKept("The disk is full.")
        keep(judged)

    monkeypatch.setattr(session.journal, "record", record)
    put(folder, "a.png", png(20))
    wait_until(lambda: session.said)
    time.sleep(0.2)
    assert not (tmp_path / "lines.jsonl").exists() and session.run.tally.scored == 0
    full.clear()
    wait_until(lambda: session.run.tally.scored == 1)
    assert (
        session.said == ["The disk is full.", "It can be written again."] and len(session.judge.judged) == 1
    )


def test_full_disk_delays_the_report_of_a_broken_file(live, folder, monkeypatch):
    session = live(broken_after=0.0)
    put(folder, "cut.png", png(20)[:50])
    report, full = session.judge.broken, [NotKept("The disk is full.")]

    def broken(*arguments):
        if full:
            raise full.pop()
        return report(*arguments)

    monkeypatch.setattr(session.judge, "broken", broken)
    assert session.once().broken == 1
    assert session.said == ["The disk is full.", "It can be written again.", "cut.png: truncated"]


def test_stop_during_a_full_disk_leaves_the_file_to_the_next_run(live, folder, tmp_path, monkeypatch):
    session = live()
    put(folder, "a.png", png(20))

    def record(_):
        session.stop.set()
        raise NotKept("The disk is full.")

    monkeypatch.setattr(session.journal, "record", record)
    assert session.once().scored == 0
    assert live().once().scored == 1


def test_a_crash_between_verdict_and_move_is_completed_at_the_next_start(
    live, folder, root, tmp_path, monkeypatch
):
    def outputs():
        return Outputs([Mover(folder, tmp_path / "out"), LineFile(tmp_path / "lines.jsonl")])

    session = live(outputs=outputs())
    put(folder, "a.png", png(200))
    monkeypatch.setattr(
        session.run.outputs, "deliver", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        session.once()
    session.close()
    assert (folder / "a.png").exists() and len(stored_verdicts(root)) == 1
    again = live(outputs=outputs())
    assert again.once().scored == 0 and again.judge.judged == []
    assert (tmp_path / "out/reject/a.png").exists() and not (folder / "a.png").exists()
    assert len((tmp_path / "lines.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert live(outputs=outputs()).once().scored == 0
    assert len((tmp_path / "lines.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_file_that_never_ends_is_left_for_the_next_run(live, folder):
    put(folder, "a.png", png(20))
    grow = threading.Event()

    def growing():
        while not grow.wait(0.02):
            with (folder / "b.png").open("ab") as file:
                file.write(b"x")

    writer = threading.Thread(target=growing)
    (folder / "b.png").touch()
    writer.start()
    session = live(broken_after=0.2)
    tally = session.once()
    grow.set()
    writer.join()
    assert tally.scored == 1 and session.said == ["Still being written, and left for the next time: b.png."]


# ---- kill -9


NURSERY = """
import os, sys
from pathlib import Path
import patchcore.images.reading
from workbench.watching.outputs.delivery import Outputs
from workbench.watching.outputs.lines import LineFile
from workbench.watching.outputs.moving import Mover
from tests.workbench.watching.watched import Session
folder, target = Path(sys.argv[1]), Path(sys.argv[2])
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        lines = LineFile(target.parent / "lines.jsonl")
        Session(folder, target.parent / "here", outputs=Outputs([Mover(folder, target), lines])).run.run()
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""  # a process whose children need not load everything again


@pytest.fixture
def nursery(folder, root, tmp_path):
    Workspace(root).database.close()  # made before anybody is killed
    command = [sys.executable, "-c", NURSERY, str(folder), str(tmp_path / "out")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield process
        process.stdin.close()


def test_kill_9_at_random_moments_leaves_every_file_one_verdict_one_line_and_one_place(
    nursery, folder, root, tmp_path
):
    dice, total, target = random.Random(7), 24, tmp_path / "out"

    def killed(arriving):
        print("begin", file=nursery.stdin, flush=True)
        child, wanted = int(nursery.stdout.readline()), steps(root) + dice.randint(1, 6)
        wait_until(
            lambda: steps(root) >= wanted or not (arriving.is_alive() or list(folder.glob("*.png"))),
            60,
        )
        time.sleep(dice.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert nursery.stdout.readline() == "ended\n"

    for first in range(0, total, 3):
        arriving = threading.Thread(target=deliver, args=(folder, range(first, first + 3)))
        arriving.start()
        killed(arriving)
        arriving.join()
    while list(folder.glob("*.png")):
        killed(arriving)
    outputs = Outputs([Mover(folder, target), LineFile(tmp_path / "lines.jsonl")])
    session = Session(folder, root, outputs=outputs)
    assert session.run.run(once=True).scored == 0 and session.journal.unfinished() == []
    session.close()
    verdicts = stored_verdicts(root)
    assert Counter(one["file"] for one in verdicts) == Counter(f"{n:03d}.png" for n in range(total))
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text(encoding="utf-8").splitlines()]
    assert Counter(one["file"] for one in lines) == Counter(one["file"] for one in verdicts)
    moved = {path.name: path.parent.name for path in target.rglob("*") if path.is_file()}
    assert moved == {one["file"]: one["verdict"] for one in verdicts}


def steps(root):
    """Return how many verdicts were kept and how many finished, together."""
    with closing(sqlite3.connect(root / "workspace.db")) as database:
        ((count,),) = database.execute("SELECT count(*) + count(finished) FROM watched_files")
    return count


def deliver(folder, numbers):
    for number in numbers:
        data = png(number * 10)
        with (folder / f"{number:03d}.png").open("wb") as file:
            file.write(data[:30])
            file.flush()
            os.fsync(file.fileno())
            time.sleep(0.02)
            file.write(data[30:])


def test_folders_of_masks_are_not_judged_and_labels_of_folders_are_told(live, folder, root):
    for name in ("ground_truth/a.png", "lot/Masks/b.png", "lot/NG/b.png", "i.O/c.png", "camera 1/d.png"):
        put(folder, name, png(40))
    session = live(subfolders=True)
    assert session.once().scored == 3
    told = {verdict["file"]: verdict["remarks"] for verdict in stored_verdicts(root)}
    assert told == {
        "lot/NG/b.png": ["It lies in NG, which means a defect by the folder's name."],
        "i.O/c.png": ["It lies in i.O, which means a good part by the folder's name."],
        "camera 1/d.png": [],
    }
    assert sum("Folders of masks are not judged" in sentence for sentence in session.said) == 1
    assert any("ground_truth" in sentence and "lot/Masks" in sentence for sentence in session.said)
    assert any(sentence.startswith("lot/NG/b.png: It lies in NG") for sentence in session.said)
