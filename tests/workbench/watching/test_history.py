"""Verdicts on the files of a watched folder in the history: known after a restart, kept wholly or not at all."""

import pytest
from sqlalchemy import select

from patchcore.errors import NotKept, SettingsError
from tests.workbench.watching.watched import RowKeeper
from workbench.people.roles import current
from workbench.storage.tables import Inspection, WatchedFile
from workbench.watching import history
from workbench.watching.folder import FileKey
from workbench.watching.history import HistoryJournal
from workbench.watching.verdict import JudgedFile, new_record

KEY, ODD = FileKey("line/a.png", 3, 2**62 + 1), FileKey("\udcff.png", 4, 7)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def reopened(workspace, folder):
    """Return a function that opens the journal again, as a restart does."""
    opened = []

    def open_one():
        if opened:
            opened.pop().close()
        opened.append(HistoryJournal(workspace, folder, RowKeeper()))
        return opened[0]

    yield open_one
    opened.pop().close()


def judged(key, **values):
    return JudgedFile(new_record(key, b"abc", "plate", **values), b"abc")


def rows(workspace, table):
    with workspace.database.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def test_verdict_is_known_after_a_restart_and_unfinished_until_delivered(reopened, workspace):
    journal = reopened()
    first, second = judged(KEY, score=1.5, verdict="accept"), judged(ODD, error="truncated")
    journal.record(first)
    journal.record(second)
    journal.finish(KEY)
    again = reopened()
    assert again.has_verdict(KEY) and again.has_verdict(ODD)
    assert not again.has_verdict(KEY._replace(size=4)) and not again.has_verdict(KEY._replace(mtime_ns=1))
    assert again.unfinished() == [second.record]
    again.finish(ODD)
    assert reopened().unfinished() == []
    one, two = rows(workspace, Inspection)
    assert (one.source, one.score, one.verdict, one.operator) == ("watch", 1.5, "accept", current().name)
    assert (two.error, two.verdict, two.inspector_id) == ("truncated", None, None)
    assert [file.inspection_id for file in rows(workspace, WatchedFile)] == [one.id, two.id]


def test_unwritable_database_keeps_no_part_of_a_verdict(reopened, workspace, monkeypatch):
    journal = reopened()
    if not workspace.database.is_sqlite:
        pytest.skip("how a full disk is had is a matter of SQLite")
    with workspace.database.read() as session:
        session.connection().exec_driver_sql("PRAGMA query_only=ON")
        session.commit()
        with pytest.raises(NotKept, match="Nothing can be stored in"):
            journal.record(judged(KEY))
        session.connection().exec_driver_sql("PRAGMA query_only=OFF")
    assert not journal.has_verdict(KEY) and rows(workspace, Inspection) == rows(workspace, WatchedFile) == []
    journal.record(judged(KEY))
    assert len(rows(workspace, Inspection)) == 1


def test_a_folder_is_watched_by_one_process(reopened, workspace, folder, monkeypatch):
    reopened()
    monkeypatch.setattr(history, "LOCK_SECONDS", 0.1)
    with pytest.raises(SettingsError, match="is watched by another process already"):
        HistoryJournal(workspace, folder, RowKeeper())
