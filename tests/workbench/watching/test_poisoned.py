"""A watched folder with ten files that cannot be judged, two of which kill the process, and fifty good ones."""

import json
import os
import shutil
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from patchcore.disk.work_notes import STOPPED, TRIES
from tests.poison import Nursery, poisoned, unreadable
from tests.workbench.watching.watched import Session, png, put
from workbench.storage.workspace import Workspace
from workbench.watching.history import try_again

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks, and signals of POSIX")


def verdicts(root):
    """What the journal says of each file, in its order."""
    with closing(sqlite3.connect(root / "workspace.db")) as database:
        rows = database.execute("SELECT told FROM watched_files ORDER BY id")
        return [json.loads(told) for (told,) in rows]


@pytest.fixture
def root(tmp_path, monkeypatch, untouched):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    shutil.copytree(untouched, tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_files_that_kill_are_set_aside_and_all_good_ones_are_judged_once(folder, root):
    for number, (name, data) in enumerate(unreadable(png(20)).items()):
        put(folder, name, data, age=90 + number)
    for number in range(2):
        put(folder, f"kills {number}.png", poisoned(number), age=100 + number)  # the first to be met
    for number in range(50):
        put(folder, f"{number:02d}.png", png(number * 5), age=60 - number)
    with Nursery() as nursery:
        deaths, _ = nursery.live_on("watch", root, folder)
    assert deaths == 2 * TRIES
    told = verdicts(root)
    assert Counter(one["file"] for one in told) == Counter(path.name for path in folder.iterdir())
    assert len([one for one in told if one["verdict"]]) == 50
    reasons = {one["file"]: one["error"] for one in told if one["error"]}
    assert len(reasons) == 10
    stopped = {name: reason for name, reason in reasons.items() if reason.startswith(STOPPED)}
    assert stopped.keys() == {"kills 0.png", "kills 1.png"}
    assert all("Save the file again" in reason for reason in stopped.values())
    assert [one["file"] for one in told[-2:]] == list(stopped)  # the good ones did not wait for them

    # After a fix a person has them tried again; a judge that lives judges them.
    workspace = Workspace(root)
    with workspace.database.write() as session:
        assert try_again(workspace, session, str(folder)) == 2
    workspace.close()
    tally = Session(folder, root).once()
    assert (tally.scored, tally.broken) == (2, 0)
    assert Counter(one["file"] for one in verdicts(root)) == Counter(path.name for path in folder.iterdir())


def test_running_watch_looks_again_when_asked(folder, root):
    put(folder, "a.png", png(20))
    put(folder, "b.png", png(30))
    session = Session(folder, root, broken_after=0.05, settle=0.01)

    class Stumbling:
        def __init__(self, judge):
            self.judge, self.sound = judge, False
            self.broken = judge.broken

        def __call__(self, key, data):
            if key.path == "a.png" and not self.sound:
                raise RuntimeError("the program stumbles")
            return self.judge(key, data)

    session.run.judge = judge = Stumbling(session.judge)
    tally = session.run.run(once=True)
    assert (tally.scored, tally.broken) == (1, 1) and "RuntimeError: the program stumbles" in tally.last.error
    judge.sound = True
    with session.workspace.database.write() as rows:
        assert try_again(session.workspace, rows, session.journal.folder) == 1
    assert session.run.run(once=True).scored == 2
    session.close()
    assert Counter(one["file"] for one in verdicts(root)) == {"a.png": 1, "b.png": 1}
