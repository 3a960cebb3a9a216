"""The database: sessions to read and to write its rows; SQLite in the workspace by default.

A fault of its disk or its server that may pass becomes `WorkspaceUnavailable` here, for every caller alike.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from patchcore.disk.faults import AGAIN, UNHARMED, gone
from patchcore.errors import PatchCoreError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "alembic_version"  # Alembic's own table: its row names the schema of all others
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
WRITE_LOCK = 0x5041_5443  # "PATC": distinct from other programs' locks on the same server
Row = TypeVar("Row")


class WorkspaceError(PatchCoreError):
    """The workspace or its database cannot be used as it is."""


class WorkspaceUnavailable(WorkspaceError):
    """The workspace cannot be used at present, as with a full disk or a locked database; trying again may help.

    Attributes
    ----------
    why
        The words of the system or of the database.
    """

    def __init__(self, sentence: str, why: str) -> None:
        super().__init__(sentence)
        self.why = why


LOCKED = "is locked by another program, such as a copy or a check that runs"
FULL = "has no room: its disk is full"
CLOSED = "may not be written to: the permissions of its folder or its disk forbid it"
UNREADABLE = "cannot be read or written: its disk reports errors"
ABSENT = "cannot be opened: its folder is gone, closed to this user, or on a disk that is not connected"
SILENT = "does not answer: its server is away, or the way to it is cut"
BUSY = "serves too many at once"
SQLITE_FAULTS = {  # by SQLite's primary result codes
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: CLOSED,
    sqlite3.SQLITE_PERM: CLOSED,
    sqlite3.SQLITE_IOERR: UNREADABLE,
    sqlite3.SQLITE_CANTOPEN: ABSENT,
}
POSTGRESQL_FAULTS = {  # by the first characters of PostgreSQL's codes
    "53100": FULL,
    "53": BUSY,
    "55P03": LOCKED,
    "40": LOCKED,
    "25006": CLOSED,
    "58": UNREADABLE,
    "57P": SILENT,
    "08": SILENT,
}
REMEDIES = {
    LOCKED: "Wait until that has ended.",
    FULL: "Make room on the disk.",
    CLOSED: "Change the permissions.",
    UNREADABLE: "Check the disk.",
    ABSENT: "Bring it back to its place.",
    SILENT: "Check that it is reachable.",
    BUSY: "Wait a moment.",
}


class Database:
    """Sessions on one database, brought to the newest schema when it is opened.

    Parameters
    ----------
    url
        SQLAlchemy's: ``sqlite:///...`` or ``postgresql+psycopg://...``.
    revision
        The schema to bring it to, one of `schemas()`, if not the newest: rows of a backup fit only the backup's own.

    Raises
    ------
    WorkspaceError
        When it is damaged, of a newer program, or its server cannot be reached.
    """

    def __init__(self, url: str | URL, revision: str | None = None) -> None:
        self.url = make_url(url)
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._writing = self.engine.execution_options(writing=True)
        try:
            with self._plain_faults():
                self._migrate(revision or schemas()[-1])
        except WorkspaceError:
            self.close()
            raise
        except DatabaseError as error:
            self.close()
            raise WorkspaceError(
                f"{self.url.render_as_string()} cannot be used as a database ({error.orig}). Check that it is "
                "reachable and whole; if it is damaged, restore a backup into a new folder."
            ) from error
        if (file := self._file()) is not None:
            _stay_with(self.engine, file)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of the workspace."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; the rows it returns stay usable after it closes.

        This and the others raise `WorkspaceUnavailable` when the database cannot be used at present.
        """
        with self._plain_faults(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that is the only writer; it commits at the end, and an exception undoes everything."""
        with (
            self._plain_faults(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection with a constant view of the database: later writes by others stay invisible."""
        if self.is_sqlite:
            options: dict[str, Any] = {}
        else:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            self._plain_faults(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def write_directly(self) -> Iterator[Connection]:
        """Yield a connection that is the only writer, for rows that no class describes."""
        with self._plain_faults(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _plain_faults(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoConnection, sqlite3.Error) as error:
            what = BUSY if isinstance(error, NoConnection) else _fault_of(error, self.is_sqlite)
            if what is None:
                raise
            why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            place = self.url.database if self.is_sqlite else self.url.render_as_string()
            raise WorkspaceUnavailable(
                f"The workspace's database {place} {what} ({why}). {UNHARMED} {REMEDIES[what]} {AGAIN}", why
            ) from error

    def _file(self) -> Path | None:
        """Return the file of the database; None for a server, and for a database in memory."""
        if not self.is_sqlite or not self.url.database or self.url.database == ":memory:":
            return None
        return Path(self.url.database)

    def _migrate(self, revision: str) -> None:
        with self._writing.begin() as connection:
            if _schema(connection) == revision:
                return  # the usual case, and quick: each job is a process that opens the database
            from alembic import command
            from alembic.util import CommandError

            config = migrations()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            except CommandError as error:
                raise WorkspaceError(
                    f"{self.url.render_as_string()} was not made by this version of the program: {error}. "
                    "Use the version that wrote it last, or another workspace."
                ) from error


def required(session: Session, table: type[Row], key: object, refusal: str) -> Row:
    """Return the row of a key; a missing one raises `WorkspaceError` with this sentence."""
    row = session.get(table, key)
    if row is None:
        raise WorkspaceError(refusal)
    return row


def sqlite_url(file: Path) -> URL:
    """Return the URL of a database file, whose path may hold any characters."""
    return URL.create("sqlite", database=str(file))


def schemas() -> list[str]:
    """Return the revision of every schema that the program knows, the newest last."""
    return sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))


def migrations() -> "Config":
    """Return the settings by which Alembic finds the schema's history."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _schema(connection: Connection) -> str | None:
    """Return the revision that the database has; None where it has none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return revision


def _fault_of(error: DBAPIError | sqlite3.Error, is_sqlite: bool) -> str | None:
    """Return what is wrong with the database; None for an error of the statement, or a damaged file."""
    driver: Any = error.orig if isinstance(error, DBAPIError) else error
    if is_sqlite:
        return SQLITE_FAULTS.get((getattr(driver, "sqlite_errorcode", None) or 0) & 0xFF)
    code = str(getattr(driver, "sqlstate", None) or "")
    for first, what in POSTGRESQL_FAULTS.items():
        if code.startswith(first):
            return what
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return SILENT if lost or (not code and type(driver).__name__ == "OperationalError") else None


def _stay_with(engine: Engine, file: Path) -> None:
    """Have an engine's connections hold the very file at this path, and never begin another one in its place.

    A connection goes on with a file that was moved or deleted: rows would be read that are not there any more, and
    written into nothing. A file that a backup was restored to is another one too.
    """

    @event.listens_for(engine, "do_connect")
    def require_file(*_arguments: object) -> None:
        if not file.exists():
            raise WorkspaceUnavailable(gone(file.parent), "no such file")

    @event.listens_for(engine, "connect")
    def note_file(_connection: Any, record: Any) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def require_same_file(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.setdefault("file", _identity(file)) != _identity(file):
            raise DisconnectionError(f"{file} was moved, or is another file by now.")


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _postgresql_engine(url: URL) -> Engine:
    """Return an engine whose writers queue for one lock, like SQLite's writers: the rows that they read stay true."""
    engine = create_engine(url, pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")

    return engine


def _sqlite_engine(url: URL) -> Engine:
    """Return an engine whose writers queue for the lock at BEGIN, instead of failing half-way to it."""
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late
        try:
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()  # the pool does not know of it yet
            raise

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
