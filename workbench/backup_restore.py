"""Restore: a backup checked and put into a new folder, which has everything or nothing of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from workbench.backup import newest_revision
from workbench.backup_archive import BackupArchive
from workbench.database import Database, WorkspaceError
from workbench.job_queue import INTERRUPTED
from workbench.jobs import STANDING, UNFINISHED, JobState
from workbench.kept_files import kept_files
from workbench.moments import now
from workbench.portable_rows import copy_rows, load_rows, reflected_tables, tables_in_order
from workbench.tables import Job, Watch
from workbench.workspace import DATABASE_FILE, Workspace, database_url


@dataclass(frozen=True)
class Restored:
    """What came back."""

    workspace: Path
    rows: int
    files: int
    lost: list[str]  # sentences: what the backup did not have when it was taken


def restore(backup: Path, into: Path) -> Restored:
    """Put a backup into a folder that is empty or not there yet.

    The rows go to ``PATCHCORE_DATABASE_URL`` where that is set: its database must have none. Jobs that were running
    come back as interrupted; they can be resumed.

    Raises
    ------
    WorkspaceError
        When the folder or the database is not empty, or the backup foreign, damaged or of a newer program.
    """
    target = into.expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WorkspaceError(
            f"{target} is not empty. Restore into a new folder, and let PATCHCORE_WORKSPACE name it from then on."
        )
    elsewhere = database_url()
    with BackupArchive(backup) as archive, _staging(target) as staging:
        files = archive.unpack(staging)
        local = f"sqlite:///{staging / DATABASE_FILE}"
        rows = _fill(archive, local)
        _check_files(archive, staging, local)
        if elsewhere is None:
            _place(staging, target)
        else:
            _move_rows(local, elsewhere, staging, target)
        return Restored(target, rows, files, archive.lost)


def _fill(archive: BackupArchive, url: str) -> int:
    """Make a database of the backup's own schema, fill it, and bring it to the newest."""
    database = Database(url, archive.schema)
    try:
        with database.write_directly() as connection:
            tables = (
                tables_in_order()
                if archive.schema == newest_revision()
                else reflected_tables(connection, archive.tables)
            )
            if {table.name for table in tables} != set(archive.tables):
                raise ValueError("its tables are not those of its schema")
            counts = load_rows(connection, ((table, archive.rows(table.name)) for table in tables))
    except (ValueError, KeyError, TypeError, SQLAlchemyError) as error:
        raise WorkspaceError(
            f"{archive.path} cannot be restored: its rows contradict each other ({error}). Use another backup."
        ) from error
    finally:
        database.close()
    _interrupt_jobs(url)
    return sum(counts.values())


def _interrupt_jobs(url: str) -> None:
    """Say of jobs that ran when the backup was taken that they do not run here, and watch no folder from here."""
    database = Database(url)
    with database.write() as session:
        for watch in session.scalars(select(Watch).where(Watch.stopped.is_(None))):
            watch.stopped = now()  # where the backup came from, it may still be watched
        for job in session.scalars(select(Job).where(Job.kind.in_(STANDING), Job.state.in_(UNFINISHED))):
            job.state, job.finished = JobState.CANCELLED, now()
        for job in session.scalars(select(Job).where(Job.state == JobState.RUNNING)):
            job.state, job.message = JobState.INTERRUPTED, INTERRUPTED
            job.pid = job.process_started = job.host = job.eta_seconds = None
    database.close()


def _check_files(archive: BackupArchive, staging: Path, url: str) -> None:
    """Hold the files that the rows name to those that came, so that no row leads to anywhere else."""
    database = Database(url)
    with database.snapshot() as connection:
        missing = [
            file for file in kept_files(Workspace(staging), connection) if not archive.holds(file.path)
        ]
    database.close()
    if missing:
        raise WorkspaceError(
            f"{archive.path} cannot be restored: it does not hold {missing[0].owner}. Use another backup."
        )


def _move_rows(local: str, elsewhere: str | URL, staging: Path, target: Path) -> None:
    """Copy the rows to a server; they become visible once the files they name are in their place."""
    server = Database(elsewhere)
    try:
        with server.read() as session:
            filled = [
                table.name for table in tables_in_order() if session.execute(select(table).limit(1)).first()
            ]
        if filled:
            raise WorkspaceError(
                f"The database {server.url.render_as_string()} is not empty: it has rows in {filled[0]}. "
                "Let PATCHCORE_DATABASE_URL name an empty one."
            )

        def place() -> None:
            for leftover in staging.glob(f"{DATABASE_FILE}*"):
                leftover.unlink()
            _place(staging, target)

        copy_rows(local, server, before_commit=place)
    finally:
        server.close()


def _place(staging: Path, target: Path) -> None:
    """Move everything to where it belongs, wholly on the disk, the database last."""
    workspace = Workspace(staging)
    for path in sorted(staging.iterdir(), key=lambda path: (path.is_file(), path.name)):
        workspace.place_folder(path, target / path.name)


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Yield an empty folder within the target (which may be a disk of its own); it is gone in the end."""
    was_there = target.exists()
    folder = target / ".restoring"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise WorkspaceError(
            f"{target} cannot be written to ({error.strerror}). Choose another folder."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not was_there and not any(target.iterdir()):
            target.rmdir()
