"""Restore: a backup is checked and put into a new folder, as a whole or not at all."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from patchcore.disk.in_use import delete_file, delete_folder
from patchcore.images.file_names import expanded
from workbench.jobs.queue import INTERRUPTED
from workbench.jobs.requests import STANDING, UNFINISHED, JobState
from workbench.storage.database import Database, WorkspaceError, sqlite_url
from workbench.storage.places import below, close_to_others, make_folder
from workbench.storage.tables import Job, Scoring, Watch, WatchedFile
from workbench.storage.timestamps import now
from workbench.storage.workspace import DATABASE_FILE, Workspace, database_url, move_wholly
from workbench.upkeep.backups.archive import BackupArchive
from workbench.upkeep.backups.portable_rows import (
    UnsoundRow,
    copy_rows,
    load_rows,
    reflected_tables,
    tables_in_order,
)
from workbench.upkeep.backups.row_rules import check_rows
from workbench.upkeep.kept_files import kept_files

NOT_BEGUN = "It had not begun when the backup was taken. Check its purpose; then it can be resumed."
NO_MORE_WATCHED = (
    "The folder was watched where the backup was taken. To watch it here, start a new watch: Watched folder, on the "
    "page Inspect."
)


@dataclass(frozen=True)
class Restored:
    """The restored contents."""

    workspace: Path
    rows: int
    files: int
    lost: list[str]  # sentences: files that the backup lacked when it was taken


def restore(backup: Path, into: Path) -> Restored:
    """Put a backup into an empty or missing folder.

    The rows go to ``PATCHCORE_DATABASE_URL`` where this is set; its database must be empty. Unfinished jobs come back
    as interrupted, and a person can resume them. No folder is watched from here.

    Raises
    ------
    WorkspaceError
        When the folder or the database is not empty, or the backup foreign, damaged, altered or of a newer program.
        Nothing is written then.
    """
    target = expanded(into).resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WorkspaceError(
            f"{target} is not empty. Restore into a new folder, and let PATCHCORE_WORKSPACE name it from then on."
        )
    elsewhere = database_url()
    with BackupArchive(backup) as archive, _staging(target) as staging:
        files = archive.unpack(staging)
        local = sqlite_url(staging / DATABASE_FILE)
        rows = _fill(archive, local)
        with closing(Database(local)) as database:
            _check_files(archive, staging, database)
            _check_rows(archive, database)
            _settle(database)
        if elsewhere is None:
            _place(staging, target)
        else:
            _move_rows(local, elsewhere, staging, target)
        return Restored(target, rows, files, archive.lost)


def _fill(archive: BackupArchive, url: URL) -> int:
    """Make a database of the backup's own schema and fill it; the next opening brings it to the newest schema."""
    database = Database(url, archive.schema)
    try:
        with database.write_directly() as connection:
            tables = reflected_tables(connection)
            if tables.keys() != set(archive.tables):
                raise ValueError("its tables do not fit its schema")
            counts = load_rows(connection, ((table, archive.rows(name)) for name, table in tables.items()))
    except UnsoundRow as error:
        raise _unsound(archive, error) from error
    except (ValueError, KeyError, TypeError, OverflowError, SQLAlchemyError) as error:
        raise WorkspaceError(
            f"{archive.path} cannot be restored: its rows contradict each other ({error}). Use another backup."
        ) from error
    finally:
        database.close()
    return sum(counts.values())


def _check_rows(archive: BackupArchive, database: Database) -> None:
    """Check every value against the program's rules, once the rows are in the newest schema."""
    try:
        with database.snapshot() as connection:
            check_rows(connection)
    except UnsoundRow as error:
        raise _unsound(archive, error) from error


def _unsound(archive: BackupArchive, error: UnsoundRow) -> WorkspaceError:
    return WorkspaceError(
        f"{archive.path} cannot be restored: {error}. It was altered, or its disk is damaged. Nothing was written; "
        "use another backup."
    )


def _settle(database: Database) -> None:
    """Let nothing start by itself: unfinished jobs wait for a person, and no folder is watched from here.

    The original workspace may still watch these folders and move their files.
    """
    with database.write() as session:
        session.execute(update(Watch).where(Watch.stopped.is_(None)).values(stopped=now()))
        session.execute(update(WatchedFile).where(WatchedFile.finished.is_(None)).values(finished=now()))
        free = {"host": None, "pid": None, "process_started": None, "heartbeat": None}
        session.execute(update(Scoring).values(free))  # of the servers of the original workspace
        for job in session.scalars(select(Job).where(Job.state.in_((*UNFINISHED, JobState.FAILED)))):
            _interrupt(job)


def _interrupt(job: Job) -> None:
    """Note on an unfinished job that it does not continue here by itself."""
    if job.kind in STANDING:
        job.state, job.finished = JobState.CANCELLED, job.finished or now()
        job.message = job.message or NO_MORE_WATCHED
    elif job.state == JobState.QUEUED:
        job.state, job.message = JobState.INTERRUPTED, NOT_BEGUN
    elif job.state == JobState.RUNNING:
        job.state, job.message = JobState.INTERRUPTED, INTERRUPTED
    elif job.state == JobState.INTERRUPTED:
        job.message = job.message or INTERRUPTED
    job.cancel_requested = job.host = job.eta_seconds = None
    job.pid = job.process_started = job.process_boot = None


def _check_files(archive: BackupArchive, staging: Path, database: Database) -> None:
    """Check that the backup holds every file that its rows name, so that no row leads anywhere else."""
    with database.snapshot() as connection:
        missing = [
            file for file in kept_files(Workspace(staging), connection) if not archive.holds(file.path)
        ]
    if missing:
        raise WorkspaceError(
            f"{archive.path} cannot be restored: it does not hold {missing[0].owner}, which should be "
            f"{missing[0].path!a:.120}. Nothing was written; use another backup."
        )


def _move_rows(local: URL, elsewhere: str | URL, staging: Path, target: Path) -> None:
    """Copy the rows to a server; they become visible once their files are in place."""
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
                delete_file(leftover)
            _place(staging, target)

        copy_rows(local, server, before_commit=place)
    finally:
        server.close()


def _place(staging: Path, target: Path) -> None:
    """Move everything to its place, flushed to the disk, the database last."""
    Workspace(staging)  # including folders for which the backup held no files
    close_to_others(target)
    for path in sorted(staging.iterdir(), key=lambda path: (path.is_file(), path.name)):
        move_wholly(path, below(target, Path(path.name)))


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Yield an empty folder within the target (which may be a separate disk); it is deleted in the end."""
    absent = [path for path in (target, *target.parents) if not path.exists()]
    folder = target / ".restoring"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        make_folder(folder)
        yield folder
    except OSError as error:
        raise WorkspaceError(
            f"{target} cannot be written to ({error.strerror}). Choose another folder."
        ) from error
    finally:
        delete_folder(folder)
        for path in absent:
            with suppress(OSError):  # not empty: the restored files lie in it
                path.rmdir()
