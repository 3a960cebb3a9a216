"""The database: its tables, and sessions to read and to write them; SQLite in the workspace by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from patchcore.errors import PatchCoreError
from workbench.moments import UtcTime, now

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
CONSTRAINT_NAMES = {  # later migrations must be able to name what they change
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
GOOD = "good"  # the truth of an image without a defect; any other is the type of its defect
WRITE_LOCK = 0x5041_5443  # "PATC": told apart from the locks of others on the same server


class WorkspaceError(PatchCoreError):
    """The workspace or its database cannot be used as it is."""


class Base(DeclarativeBase):
    """Root of the tables."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        float: Double,
    }


class Image(Base):
    """An image file in the workspace, stored once by the hash of its bytes."""

    __tablename__ = "images"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    suffix: Mapped[str] = mapped_column(String(16))
    original_name: Mapped[str] = mapped_column(Text)  # the name it first came with
    size_bytes: Mapped[int]
    record: Mapped[dict[str, Any] | None]  # patchcore.images.ImageRecord.to_dict()
    created: Mapped[datetime] = mapped_column(default=now)


class Inspector(Base):
    """A fitted model for one product, as the user knows it; what it computes with is its current version."""

    __tablename__ = "inspectors"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # safe in a path and an address
    name: Mapped[str] = mapped_column(Text)
    product: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    current_id: Mapped[int | None] = mapped_column(
        ForeignKey("inspector_versions.id", use_alter=True, name="fk_inspectors_current")
    )

    current: Mapped[InspectorVersion | None] = relationship(
        foreign_keys=[current_id], lazy="joined", post_update=True
    )


class InspectorVersion(Base):
    """One state of an inspector: a bank on disk, the share of it in use, and the thresholds in force."""

    __tablename__ = "inspector_versions"
    __table_args__ = (UniqueConstraint("inspector_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspector_id: Mapped[str] = mapped_column(ForeignKey("inspectors.id"), index=True)
    number: Mapped[int]
    base_id: Mapped[int | None] = mapped_column(ForeignKey("inspector_versions.id"))
    """The version whose bank and good images this one uses with another share or threshold; None: its own."""
    path: Mapped[str] = mapped_column(Text)  # relative to the workspace
    settings: Mapped[dict[str, Any]]  # building.BuildSettings.to_dict()
    share: Mapped[float]  # of all patches, in use
    largest_share: Mapped[float]  # of all patches, on disk
    patches: Mapped[int]  # rows of the bank in use
    cover_radius: Mapped[float]
    megabytes: Mapped[float]  # of the bank in use
    operating_point: Mapped[dict[str, Any]]  # inspectors.OperatingPoint.to_dict()
    good_scores: Mapped[dict[str, Any]]  # image sha256 -> leave-one-image-out score at this share
    numbers: Mapped[dict[str, Any]]  # what the build measured: seconds, skipped images, versions of libraries
    thumbnail_sha256: Mapped[str | None] = mapped_column(ForeignKey("images.sha256"))
    note: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)

    @property
    def bank_id(self) -> int:
        """The version that owns the bank on disk and the list of good images."""
        return self.base_id or self.id


class InspectorImage(Base):
    """A good image that a version was built from, in the order it was given."""

    __tablename__ = "inspector_images"

    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    name: Mapped[str] = mapped_column(Text)


class Batch(Base):
    """Images that were brought to be inspected together, or the good images of a bank, scored without themselves."""

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_bank_id", "bank_id", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspector_id: Mapped[str] = mapped_column(ForeignKey("inspectors.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16), default="test")  # or "good": inspecting.good_batch
    bank_id: Mapped[int | None] = mapped_column(ForeignKey("inspector_versions.id"))
    """Of the kind "good": the version that owns the bank these images are in."""
    created: Mapped[datetime] = mapped_column(default=now, index=True)


class BatchImage(Base):
    """One image of a batch; the same picture may occur twice under two names."""

    __tablename__ = "batch_images"
    __table_args__ = (UniqueConstraint("batch_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    name: Mapped[str] = mapped_column(Text)
    truth: Mapped[str | None] = mapped_column(String(64))  # "good", a defect type, or unknown
    mask_sha256: Mapped[str | None] = mapped_column(ForeignKey("images.sha256"))  # where the defect is


class LabelChange(Base):
    """One change of what is known of an image of a batch; all are kept, also those that were taken back."""

    __tablename__ = "label_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_image_id: Mapped[int] = mapped_column(ForeignKey("batch_images.id"), index=True)
    before: Mapped[str | None] = mapped_column(String(64))
    after: Mapped[str | None] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(default=now)
    undone: Mapped[datetime | None]

    image: Mapped[BatchImage] = relationship(lazy="joined")


class PointRecord(Base):
    """An operating point that was put in force for a version, and why; the last is the one in force."""

    __tablename__ = "operating_points"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"), index=True)
    data: Mapped[dict[str, Any]]  # OperatingPoint.to_dict()
    note: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)

    version: Mapped[InspectorVersion] = relationship(lazy="joined")


class Result(Base):
    """What one inspector version found in one image of a batch; verdicts are made from it when read."""

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("batch_image_id", "version_id"),
        Index("ix_results_version_created", "version_id", "created"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_image_id: Mapped[int] = mapped_column(ForeignKey("batch_images.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("inspector_versions.id"))
    score: Mapped[float | None]  # None: the image could not be scored, and `error` says why
    worst_box: Mapped[list[Any] | None]  # x0, y0, x1, y1 in pixels of the original
    width: Mapped[int | None]
    height: Mapped[int | None]
    map_path: Mapped[str | None] = mapped_column(Text)  # relative to the workspace
    seconds: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    explanation: Mapped[dict[str, Any] | None]  # inspecting.Explained.to_dict(), once asked for
    created: Mapped[datetime] = mapped_column(default=now, index=True)

    image: Mapped[BatchImage] = relationship(lazy="joined")


class Job(Base):
    """Work of more than about a second, done by a process of its own."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_created", "state", "created"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(Text)
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))  # jobs.JobState
    cancel_requested: Mapped[datetime | None]
    stage: Mapped[str] = mapped_column(Text, default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    stages: Mapped[list[Any]] = mapped_column(default=list)  # those finished: name, total, seconds
    eta_seconds: Mapped[float | None]  # to the end of this stage, as of the heartbeat
    message: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    host: Mapped[str | None] = mapped_column(Text)
    pid: Mapped[int | None]
    process_started: Mapped[float | None]  # psutil's create_time: a pid alone may be another process by now
    heartbeat: Mapped[datetime | None]
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class Database:
    """Sessions on one database, brought to the newest schema when it is opened.

    Parameters
    ----------
    url
        SQLAlchemy's: ``sqlite:///...`` or ``postgresql+psycopg://...``.
    revision
        The schema to bring it to, when not the newest: for the rows of an older backup.

    Raises
    ------
    WorkspaceError
        When it is damaged, of a newer program, or its server cannot be reached.
    """

    def __init__(self, url: str | URL, revision: str = "head") -> None:
        self.url = make_url(url)
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._writing = self.engine.execution_options(writing=True)
        try:
            self._migrate(revision)
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
        """Yield a session that is the only writer until it commits at the end; an exception undoes it all."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that sees the database as it is now, whatever is written meanwhile."""
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
        """Give the connections back."""
        self.engine.dispose()

    def _migrate(self, revision: str) -> None:
        config = migrations()
        with self._writing.begin() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            except CommandError as error:
                raise WorkspaceError(
                    f"{self.url.render_as_string()} was not made by this version of the program: {error}. "
                    "Use the version that wrote it last, or another workspace."
                ) from error


def migrations() -> Config:
    """Return what Alembic must know to find the schema's history."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _postgresql_engine(url: URL) -> Engine:
    """Return an engine whose writers queue for one lock, as those of SQLite do: what they read stays true."""
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
