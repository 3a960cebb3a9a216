"""The journal of a watched folder: each verdict's rows in the history and in `WatchedFile`, in one transaction.

A file with a row in `WatchedFile` is not scored again, whichever process watches the folder. A verdict is stored
durably first and delivered afterwards; `finish` notes the delivery. A verdict without that note after a crash is
`unfinished`, and the next start delivers it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from sqlalchemy import event, or_, select
from sqlalchemy.orm import Session

from patchcore.disk.in_use import delete_file
from patchcore.disk.work_notes import STOPPED, WorkNotes
from patchcore.errors import PROGRAM_FAILED, NotKept, SettingsError
from patchcore.images.file_names import display_name
from workbench.inspections import history
from workbench.people.roles import current
from workbench.storage.database import WorkspaceUnavailable
from workbench.storage.map_files import KeptMap
from workbench.storage.tables import Inspection, WatchedFile
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey
from workbench.watching.verdict import JudgedFile, VerdictRecord

LOCK_SECONDS = 5.0  # wait for an earlier watching process to end


class Keeper(Protocol):
    """Stores the pictures and rows of a judged file."""

    def prepare(self, file: JudgedFile) -> None:
        """Store pictures, before the transaction; called again after a failure."""

    def keep(self, session: Session, file: JudgedFile) -> Inspection:
        """Store rows in the journal's transaction; `Outdated` has the file judged again."""


class HistoryJournal:
    """The journal of one folder in the database, used by one process at a time.

    Parameters
    ----------
    folder
        Absolute.
    keeper
        Stores pictures and rows.

    Raises
    ------
    SettingsError
        Another process watches the folder.
    """

    def __init__(self, workspace: Workspace, folder: Path, keeper: Keeper) -> None:
        self.workspace, self.folder, self.keeper = workspace, folder_name(folder), keeper
        self._lock = _locked(workspace, self.folder)
        _flush_every_commit(workspace)
        self._recorded = set(self._keys())

    @property
    def notes(self) -> WorkNotes:
        """Notes of the files in work."""
        return self.workspace.notes

    def has_verdict(self, key: FileKey) -> bool:
        """Whether a file in this state has its verdict."""
        return _stored(key) in self._recorded

    def is_to_look_again(self) -> bool:
        """Whether a person has asked since the last call to have files tried again; `try_again` took their rows."""
        asked = _again(self.workspace, self.folder)
        if not asked.exists():
            return False
        delete_file(asked)
        self._recorded = set(self._keys())
        return True

    def record(self, file: JudgedFile) -> None:
        """Store a verdict; after the return, a power failure does not lose it.

        Raises
        ------
        NotKept
            Storing is impossible at present, as with a full disk. No row was written.
        Outdated
            The inspector changed while it judged; the file must be judged again. No row was written.
        """
        key = _stored(file.record.key)
        with waits_for_room(self.workspace):
            self.keeper.prepare(file)
        with waits_for_room(self.workspace), self.workspace.database.write() as session:
            inspection = self.keeper.keep(session, file)
            session.add(inspection)
            session.flush()
            session.add(
                WatchedFile(
                    folder=self.folder,
                    path=key.path,
                    size_bytes=key.size,
                    modified=str(key.mtime_ns),
                    inspection_id=inspection.id,
                    told=file.record.to_dict(),
                )
            )
        self._recorded.add(key)

    def unfinished(self) -> list[VerdictRecord]:
        """Return verdicts that may not have been delivered, in the order of their storing."""
        query = select(WatchedFile).where(WatchedFile.folder == self.folder, WatchedFile.finished.is_(None))
        with self.workspace.database.read() as session:
            return [
                VerdictRecord.from_dict(row.told) for row in session.scalars(query.order_by(WatchedFile.id))
            ]

    def finish(self, key: FileKey) -> None:
        """Note that a verdict was delivered; `NotKept` as in `record`."""
        wanted = _stored(key)
        query = select(WatchedFile).where(
            WatchedFile.folder == self.folder,
            WatchedFile.path == wanted.path,
            WatchedFile.size_bytes == wanted.size,
            WatchedFile.modified == str(wanted.mtime_ns),
        )
        with waits_for_room(self.workspace), self.workspace.database.write() as session:
            session.scalars(query).one().finished = now()

    def close(self) -> None:
        """Let another process watch the folder."""
        self._lock.release()

    def _keys(self) -> Iterator[FileKey]:
        query = select(WatchedFile.path, WatchedFile.size_bytes, WatchedFile.modified)
        with self.workspace.database.read() as session:
            for path, size, modified in session.execute(query.where(WatchedFile.folder == self.folder)):
                yield FileKey(path, size, int(modified))


def plain_inspection(record: VerdictRecord, **values: Any) -> Inspection:
    """Return the row of a verdict record; `values` are further columns."""
    regions = None if record.score is None else record.regions[: history.REGIONS_KEPT]
    columns = {
        "source": "watch",
        "operator": current().name,
        "sha256": record.sha256,
        "name": display_name(record.file),
        "inspector_name": record.inspector,
        "score": record.score,
        "accept": record.accept,
        "reject": record.reject,
        "pixel": record.pixel,
        "min_area": record.min_area,
        "judge_by": record.judge_by,
        "verdict": record.verdict,
        "regions": regions,
        "region_count": None if record.score is None else len(record.regions),
        "worst_box": record.worst_box,
        "width": record.width,
        "height": record.height,
        "error": record.error,
        "remarks": record.remarks,
        "doubts": record.doubts,
        "picture_check": record.picture_check,
    }
    return Inspection(**columns | values)


class PictureKeeper:
    """Stores the image, its overlay and a row of each verdict, outside of all batches."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._overlays: dict[FileKey, str] = {}  # path of the current file's overlay

    def prepare(self, file: JudgedFile) -> None:
        """Store the image and its overlay."""
        from patchcore.images.reading import display_pixels  # late: PyTorch comes with it

        record, inspection = file.record, file.inspection
        if file.data:
            self.workspace.store_image(file.data, display_name(record.file))
        if inspection is not None and file.image is not None and record.key not in self._overlays:
            path = f"history/{now():%Y-%m}/{record.sha256[:16]}-file-{secrets.token_hex(4)}.jpg"
            anomaly_map, point = inspection.result.map, inspection.point
            heat_from = max(float(anomaly_map.max()) / 2, 1e-6) if point is None else point.heat_from
            stored_map, pixels = KeptMap.of(anomaly_map), display_pixels(file.image.pixels)
            history.store_overlay(self.workspace, path, stored_map, pixels, heat_from, inspection.decided_box)
            self._overlays = {record.key: path}

    def keep(self, session: Session, file: JudgedFile) -> Inspection:
        """Return the row of the verdict."""
        overlay = self._overlays.get(file.record.key)
        return plain_inspection(file.record, **file.owner, overlay_path=overlay)


def list_set_aside(session: Session, folder: str, most: int = 20) -> list[WatchedFile]:
    """Return the files of a watched folder on which the program failed, the latest first.

    Parameters
    ----------
    folder
        As `folder_name` returns it.
    """
    reasons = (Inspection.error.startswith(reason, autoescape=True) for reason in (STOPPED, PROGRAM_FAILED))
    query = (
        select(WatchedFile)
        .join(Inspection, Inspection.id == WatchedFile.inspection_id)
        .where(WatchedFile.folder == folder, or_(*reasons))
    )
    return list(session.scalars(query.order_by(WatchedFile.id.desc()).limit(most)))


def try_again(workspace: Workspace, session: Session, folder: str) -> int:
    """Forget the deaths and the verdicts of the files that `list_set_aside` returns, and return their number.

    The process that watches the folder judges them again where they lie in the folder; the history keeps the rows of
    the first tries.
    """
    files = list_set_aside(session, folder, most=10_000)
    for file in files:
        workspace.notes.forget(VerdictRecord.from_dict(file.told).sha256)
        session.delete(file)
    if files:
        _again(workspace, folder).touch()
    return len(files)


def _again(workspace: Workspace, folder: str) -> Path:
    """Return the file by which a page asks the watching process to look again."""
    return workspace.root / "watches" / f"{sha256(folder.encode()).hexdigest()[:16]}.again"


def folder_name(folder: Path) -> str:
    """Return a folder's name in the database: its resolved path."""
    return _storable(str(folder.resolve()))


def _locked(workspace: Workspace, folder: str) -> FileLock:
    place = workspace.root / "watches"
    place.mkdir(exist_ok=True)
    lock = FileLock(place / f"{sha256(folder.encode()).hexdigest()[:16]}.lock")
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise SettingsError(f"{folder} is watched by another process already. Stop that one first.") from None
    return lock


def _flush_every_commit(workspace: Workspace) -> None:
    """Have SQLite flush each commit to the disk: a moved file stays moved, so its verdict must not be lost."""
    database = workspace.database
    if database.is_sqlite:

        @event.listens_for(database.engine, "connect")
        def flush(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=FULL")

        database.engine.dispose()  # older connections lack the setting


@contextmanager
def waits_for_room(workspace: Workspace) -> Iterator[None]:
    """Turn a passing fault (a full disk, a database that is away) into `NotKept`."""
    try:
        yield
    except (WorkspaceUnavailable, OSError) as fault:
        why = fault.why if isinstance(fault, WorkspaceUnavailable) else fault.strerror or fault
        raise NotKept(
            f"Nothing can be stored in {workspace.root} at present ({why}). No image is scored until it can be."
        ) from fault


def _storable(name: str) -> str:
    """Return a name that any database accepts; bytes that are not text become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _stored(key: FileKey) -> FileKey:
    return key._replace(path=_storable(key.path))
