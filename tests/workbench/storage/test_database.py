"""The database: migrations from nothing, sessions, and SQLite's settings."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.workbench.postgresql import NEEDS_POSTGRESQL
from workbench.storage import database as storage
from workbench.storage.database import Database, WorkspaceError, WorkspaceUnavailable, migrations
from workbench.storage.tables import Base, Batch, Image, Job


@pytest.fixture
def url(tmp_path, database_kind, request):
    """Where there is an empty database, without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'workspace.db'}"
        return
    server = request.getfixturevalue("postgresql").server
    name = server.make_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def database(url):
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'workspace.db'}")
    yield database
    database.close()


def image(sha256="a" * 64):
    return Image(sha256=sha256, suffix=".png", original_name="one.png", size_bytes=3)


def test_migrations_from_nothing_give_the_tables_that_the_code_declares(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        newest = ScriptDirectory.from_config(migrations()).get_current_head()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == newest


def test_opening_again_keeps_what_is_there(database):
    with database.write() as session:
        session.add(image())
    again = Database(database.url)
    with again.read() as session:
        assert session.get(Image, "a" * 64).original_name == "one.png"
    again.close()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WorkspaceError, match="not made by this version"):
        Database(database.url)
    with database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_many_processes_may_open_an_empty_database_at_once(url):
    code = f"from workbench.storage.database import Database; Database({url!r}).close()"
    openers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [opener.wait() for opener in openers] == [0, 0, 0]


def test_sqlite_writes_ahead(sqlite):
    with sqlite.read() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_foreign_keys_hold(database):
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Batch(inspector_id="nobody", name="x"))


def test_an_exception_undoes_the_whole_write(database):
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(image())
        session.flush()
        raise ZeroDivisionError
    with database.read() as session:
        assert session.scalars(select(Image)).all() == []


def test_writers_wait_for_each_other_and_lose_no_update(database):
    with database.write() as session:
        session.add(Job(kind="build", title="", arguments={}, state="queued"))

    def count():
        for _ in range(25):
            with database.write() as session:
                job = session.get(Job, 1)
                job.done += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get(Job, 1).done == 100


def test_a_reader_is_not_held_up_by_a_writer(database):
    with database.write() as writing:
        writing.add(image())
        writing.flush()
        with database.read() as reading:
            assert reading.scalars(select(Image)).all() == []


def test_moments_come_back_in_utc(database):
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(Job(kind="build", title="", arguments={}, state="queued", created=moment))
    with database.read() as session:
        stored = session.get(Job, 1).created
    assert stored == moment and stored.tzinfo is UTC


def test_unknown_json_is_stored_as_null(database):
    with database.write() as session:
        session.add(image())
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM images WHERE record IS NULL")).scalar_one() == 1


def test_a_snapshot_does_not_see_what_is_written_after_it(database):
    with database.snapshot() as connection:
        assert connection.execute(select(Image.sha256)).all() == []
        with database.write() as session:
            session.add(image())
        assert connection.execute(select(Image.sha256)).all() == []
    with database.snapshot() as connection:
        assert connection.execute(select(Image.sha256)).all() == [("a" * 64,)]


def test_a_file_that_is_not_a_database_raises_workspace_error(tmp_path):
    (tmp_path / "workspace.db").write_bytes(b"not a database at all " * 100)
    with pytest.raises(WorkspaceError, match=r"workspace.db cannot be used as a database.*restore a backup"):
        Database(f"sqlite:///{tmp_path / 'workspace.db'}")


def test_an_absent_server_is_named_without_its_password(tmp_path):
    with pytest.raises(WorkspaceError, match="Check that it is reachable") as caught:
        Database(f"postgresql+psycopg://me:secret@/db?host={tmp_path}")
    assert "secret" not in str(caught.value)


# ---- faults that may pass


@pytest.fixture
def hasty(monkeypatch, tmp_path):
    """A database whose writers lose patience at once."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.05)
    (tmp_path / "here").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'here' / 'workspace.db'}")
    yield database
    database.close()


def put(database, number):
    with database.write() as session:
        session.add(image(f"{number:064x}"))


def count(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Image))


def test_a_lock_of_another_program_is_told_and_passes(hasty, tmp_path):
    put(hasty, 1)
    with closing(sqlite3.connect(tmp_path / "here" / "workspace.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WorkspaceUnavailable, match=r"locked by another program.*Nothing that was saved"):
            put(hasty, 2)
        with pytest.raises(WorkspaceUnavailable, match="database is locked"):
            Database(hasty.url)  # a job's process opens it so
    put(hasty, 2)
    assert count(hasty) == 2


def test_a_full_database_is_told_and_keeps_what_it_has(hasty):
    put(hasty, 1)
    with hasty.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    @event.listens_for(hasty.engine, "checkout")
    def limit(connection, *_):
        connection.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(WorkspaceUnavailable, match="its disk is full"), hasty.write() as session:
        session.add_all(image(f"{number:064x}") for number in range(2, 5000))
    assert count(hasty) == 1
    event.remove(hasty.engine, "checkout", limit)
    with hasty.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    put(hasty, 2)


def test_a_folder_that_was_moved_is_told_and_its_rows_are_there_when_it_is_back(hasty, tmp_path):
    put(hasty, 1)
    (tmp_path / "here").rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(WorkspaceUnavailable, match="moved or deleted, or its disk is not connected"):
            count(hasty)
        with pytest.raises(WorkspaceUnavailable, match="No other one was begun"):
            put(hasty, 2)
    assert not (tmp_path / "here").exists()
    (tmp_path / "away").rename(tmp_path / "here")
    put(hasty, 2)
    assert count(hasty) == 2


def test_a_database_that_was_restored_in_its_place_is_read_and_not_the_old_one(hasty, tmp_path):
    put(hasty, 1)
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    put(hasty, 2)
    (tmp_path / "here").rename(tmp_path / "old")
    (tmp_path / "copy").rename(tmp_path / "here")
    assert count(hasty) == 1


def test_an_error_of_a_statement_passes_as_it_is(hasty):
    for nonsense in ("SELECT nose FROM images", "NONSENSE"):
        with pytest.raises(OperationalError), hasty.read() as session:
            session.execute(text(nonsense))


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=NEEDS_POSTGRESQL)], indirect=True)
def test_a_server_that_ends_a_connection_is_told_and_the_next_one_works(database):
    with pytest.raises(WorkspaceUnavailable, match="does not answer"), database.read() as session:
        number = session.scalar(text("SELECT pg_backend_pid()"))
        with database.read() as other:
            other.execute(text(f"SELECT pg_terminate_backend({number})"))
        session.execute(text("SELECT 1"))
    assert count(database) == 0
