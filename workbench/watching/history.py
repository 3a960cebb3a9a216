"""Where verdicts on the files of a watched folder are kept: a row of the history, and the file in the same transaction.

That row of `WatchedFile` is the journal: what has one is not scored again, whoever watches the folder. A verdict is
kept first, durably, and only then told to others; `finish` notes that it was. What a crash left between the two is
`unfinished` and completed at the next start.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from patchcore.errors import NotKept, SettingsError
from patchcore.images.file_names import display_name
from workbench.inspections import history
from workbench.people.roles import current
from workbench.storage.map_files import KeptMap
from workbench.storage.tables import Inspection, WatchedFile
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey
from workbench.watching.verdict import Given, Judged

LOCK_SECONDS = 5.0  # the process that watched before may be ending


class Keeper(Protocol):
    """Stores what a verdict on a file of a watched folder leaves behind."""

    def prepare(self, judged: Judged) -> None:
        """Store files, before the transaction; called again after a failure."""

    def keep(self, session: Session, judged: Judged) -> Inspection:
        """Store rows in the transaction that also keeps which file it was; `Outdated` to have it judged anew."""


class HistoryJournal:
    """The journal of one folder in the database, used by one process at a time.

    Parameters
    ----------
    folder
        Absolute.
    keeper
        Stores what a verdict leaves behind.

    Raises
    ------
    SettingsError
        When another process watches the folder.
    """

    def __init__(self, workspace: Workspace, folder: Path, keeper: Keeper) -> None:
        self.workspace, self.folder, self.keeper = workspace, folder_name(folder), keeper
        self._lock = _locked(workspace, self.folder)
        _flush_every_commit(workspace)
        self._seen = set(self._keys())

    def seen(self, key: FileKey) -> bool:
        """Whether a file in this state has its verdict."""
        return _stored(key) in self._seen

    def record(self, judged: Judged) -> None:
        """Keep a verdict; when this returns, a power failure takes it no more.

        Raises
        ------
        NotKept
            When it cannot be kept at present, as with a full disk; nothing of it is kept then.
        Outdated
            When it must be given anew; nothing of it is kept then either.
        """
        key = _stored(judged.given.key)
        with waits_for_room(self.workspace):
            self.keeper.prepare(judged)
        with waits_for_room(self.workspace), self.workspace.database.write() as session:
            inspection = self.keeper.keep(session, judged)
            session.add(inspection)
            session.flush()
            session.add(
                WatchedFile(
                    folder=self.folder,
                    path=key.path,
                    size_bytes=key.size,
                    modified=str(key.mtime_ns),
                    inspection_id=inspection.id,
                    told=judged.given.to_dict(),
                )
            )
        self._seen.add(key)

    def unfinished(self) -> list[Given]:
        """Return the verdicts that may not have been told, in the order they were given."""
        query = select(WatchedFile).where(WatchedFile.folder == self.folder, WatchedFile.finished.is_(None))
        with self.workspace.database.read() as session:
            return [Given.from_dict(row.told) for row in session.scalars(query.order_by(WatchedFile.id))]

    def finish(self, key: FileKey) -> None:
        """Note that a verdict was told; `NotKept` as for `record`."""
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


def plain_inspection(given: Given, **values: Any) -> Inspection:
    """Return the row of a verdict, by what was told of it; `values` are further columns."""
    regions = None if given.score is None else given.regions[: history.REGIONS_KEPT]
    columns = {
        "source": "watch",
        "operator": current().name,
        "sha256": given.sha256,
        "name": display_name(given.file),
        "inspector_name": given.inspector,
        "score": given.score,
        "accept": given.accept,
        "reject": given.reject,
        "pixel": given.pixel,
        "min_area": given.min_area,
        "judge_by": given.judge_by,
        "verdict": given.verdict,
        "regions": regions,
        "region_count": None if given.score is None else len(given.regions),
        "width": given.width,
        "height": given.height,
        "error": given.error,
    }
    return Inspection(**columns | values)


class PictureKeeper:
    """Keeps the image, its overlay and a row of each verdict, outside of all batches."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._overlays: dict[FileKey, str] = {}  # of the verdict in hand

    def prepare(self, judged: Judged) -> None:
        """Store the image and its overlay."""
        from patchcore.images.reading import display_pixels  # late: PyTorch comes with it

        given, inspection = judged.given, judged.inspection
        if judged.data:
            self.workspace.store_image(judged.data, display_name(given.file))
        if inspection is not None and judged.image is not None and given.key not in self._overlays:
            path = f"history/{now():%Y-%m}/{given.sha256[:16]}-file-{secrets.token_hex(4)}.jpg"
            anomaly_map, point = inspection.result.map, inspection.point
            heat_from = max(float(anomaly_map.max()) / 2, 1e-6) if point is None else point.heat_from
            kept, pixels = KeptMap.of(anomaly_map), display_pixels(judged.image.pixels)
            history.store_overlay(self.workspace, path, kept, pixels, heat_from, inspection.outline)
            self._overlays = {given.key: path}

    def keep(self, session: Session, judged: Judged) -> Inspection:
        """Return the row of the verdict."""
        overlay = self._overlays.get(judged.given.key)
        return plain_inspection(judged.given, **judged.owner, overlay_path=overlay)


def folder_name(folder: Path) -> str:
    """Return a folder as the database names it."""
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
    """Have SQLite put each commit onto the disk: files are moved on the strength of it, and moves last."""
    database = workspace.database
    if database.is_sqlite:

        @event.listens_for(database.engine, "connect")
        def flush(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=FULL")

        database.engine.dispose()  # connections from before do not have it


@contextmanager
def waits_for_room(workspace: Workspace) -> Iterator[None]:
    """Turn what may pass (a full disk, a database that is away) into `NotKept`."""
    try:
        yield
    except (OperationalError, OSError) as fault:
        why = fault.orig if isinstance(fault, OperationalError) else fault.strerror or fault
        raise NotKept(
            f"Nothing can be stored in {workspace.root} at present ({why}). No image is scored until it can be."
        ) from fault


def _storable(name: str) -> str:
    """Return a name as any database takes it; bytes that are no text become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _stored(key: FileKey) -> FileKey:
    return key._replace(path=_storable(key.path))
