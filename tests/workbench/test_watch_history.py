"""Verdicts on the files of a watched folder in the history: once each, with their image and overlay."""

import json
import shutil

import pytest
from sqlalchemy import select

from patchcore import cli, cli_watch
from patchcore.errors import NotKept, SettingsError
from patchcore.watch_verdict import Judged, given
from patchcore.watching import FileKey
from tests.patchcore.test_cli import patchcore
from tests.workbench.parts import plate
from workbench import watch_history
from workbench.checking import check
from workbench.inspectors import load_model
from workbench.people import current
from workbench.tables import Inspection, WatchedFile
from workbench.watch_history import HistoryJournal, open_history, plain_inspection

KEY, ODD = FileKey("line/a.png", 3, 2**62 + 1), FileKey("\udcff.png", 4, 7)


class Plain:
    """Keeps rows alone."""

    def prepare(self, judged):
        self.prepared = judged

    def keep(self, session, judged):
        return plain_inspection(judged.given)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def reopened(workspace, folder):
    """Give what opens the journal anew, as a restart does."""
    opened = []

    def open_one():
        if opened:
            opened.pop().close()
        opened.append(HistoryJournal(workspace, folder, Plain()))
        return opened[0]

    yield open_one
    opened.pop().close()


def judged(key, **values):
    return Judged(given(key, b"abc", "plate", **values), b"abc")


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_a_verdict_is_known_after_a_restart_and_unfinished_until_it_was_told(reopened, workspace):
    journal = reopened()
    first, second = judged(KEY, score=1.5, verdict="accept"), judged(ODD, error="truncated")
    journal.record(first)
    journal.record(second)
    journal.finish(KEY)
    again = reopened()
    assert again.seen(KEY) and again.seen(ODD)
    assert not again.seen(KEY._replace(size=4)) and not again.seen(KEY._replace(mtime_ns=1))
    assert again.unfinished() == [second.given]
    again.finish(ODD)
    assert reopened().unfinished() == []
    one, two = rows(workspace, Inspection)
    assert (one.source, one.score, one.verdict, one.operator) == ("watch", 1.5, "accept", current().name)
    assert (two.error, two.verdict, two.inspector_id) == ("truncated", None, None)
    assert [file.inspection_id for file in rows(workspace, WatchedFile)] == [one.id, two.id]


def test_a_database_that_cannot_be_written_keeps_nothing_of_a_verdict(reopened, workspace, monkeypatch):
    journal = reopened()
    if not workspace.database.is_sqlite:
        pytest.skip("how a full disk is had is a matter of SQLite")
    with workspace.database.read() as session:
        session.connection().exec_driver_sql("PRAGMA query_only=ON")
        session.commit()
        with pytest.raises(NotKept, match="Nothing can be stored in"):
            journal.record(judged(KEY))
        session.connection().exec_driver_sql("PRAGMA query_only=OFF")
    assert not journal.seen(KEY) and rows(workspace, Inspection) == rows(workspace, WatchedFile) == []
    journal.record(judged(KEY))
    assert len(rows(workspace, Inspection)) == 1


def test_a_folder_is_watched_by_one_process(reopened, workspace, folder, monkeypatch):
    reopened()
    monkeypatch.setattr(watch_history, "LOCK_SECONDS", 0.1)
    with pytest.raises(SettingsError, match="is watched by another process already"):
        HistoryJournal(workspace, folder, Plain())


def watch(path, folder):
    options = ("--once", "--json", "--settle", 0.05, "--interval", 0.05, "--broken-after", 0.2)
    return [json.loads(line) for line in patchcore("watch", path, folder, *options).stdout.splitlines()]


def test_the_command_writes_to_the_history_of_the_workspace(
    workspace, version, folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(workspace.root))
    foreign = tmp_path / "Line 3.patchcore"
    shutil.copy(workspace.root / version.path, foreign)
    (folder / "a.png").write_bytes(plate(60, scratched=True))
    (folder / "cut.png").write_bytes(plate(61)[:500])
    told = {one["file"]: one for one in watch(foreign, folder)}
    broken, whole = sorted(rows(workspace, Inspection), key=lambda row: row.score or 0)
    assert (whole.name, whole.inspector_name, whole.inspector_id) == ("a.png", "Line 3", None)
    assert whole.score == told["a.png"]["score"] and whole.verdict == told["a.png"]["verdict"] == "reject"
    assert whole.regions == told["a.png"]["regions"] and whole.region_count == len(whole.regions) > 0
    expected = load_model(workspace, version).score(folder / "a.png")
    assert whole.score == pytest.approx(expected.score) and (whole.width, whole.height) == (64, 64)
    assert workspace.image_path(whole.sha256).read_bytes() == (folder / "a.png").read_bytes()
    assert (workspace.root / whole.overlay_path).is_file()
    assert broken.error and broken.overlay_path is None and workspace.image_path(broken.sha256).exists()
    assert check(workspace, grace=0) == []
    (folder / "b.png").write_bytes(plate(1))
    assert [one["file"] for one in watch(workspace.root / version.path, folder)] == ["b.png"]
    latest = rows(workspace, Inspection)[-1]
    assert (latest.inspector_id, latest.version_id, latest.inspector_name) == ("plate-1", 1, "Plate")
    assert watch(foreign, folder) == []


def test_the_command_finds_this_place_by_itself():
    assert cli_watch._can_be_found(cli_watch.DASHBOARD)
    assert cli_watch._opener(cli_watch.DASHBOARD) is open_history and cli.watch is cli_watch.watch
