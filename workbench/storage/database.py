"""The database: sessions to read and to write its rows; SQLite in the workspace by default."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

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

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of the workspace."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; the rows it returns stay usable after it closes."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that is the only writer; it commits at the end, and an exception undoes everything."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection with a constant view of the database: later writes by others stay invisible."""
        if self.is_sqlite:
            options: dict[str, Any] = {}
        else:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write_directly(self) -> Iterator[Connection]:
        """Yield a connection that is the only writer, for rows that no class describes."""
        with self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

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
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
