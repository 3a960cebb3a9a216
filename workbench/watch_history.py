"""Where verdicts on the files of a watched folder are kept: a row of the history, and the file in the same transaction.

That row of `WatchedFile` is the journal: what has one is not scored again, whoever watches the folder.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from patchcore.errors import NotKept, SettingsError
from patchcore.file_names import display_name
from patchcore.watch_verdict import Given, Judged
from patchcore.watching import FileKey
from workbench import history
from workbench.map_files import KeptMap
from workbench.moments import now
from workbench.people import current
from workbench.tables import Inspection, Inspector, InspectorVersion, WatchedFile
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.watch_journal import Journal

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
    closes_workspace
        Whether nobody else uses the workspace.

    Raises
    ------
    SettingsError
        When another process watches the folder.
    """

    def __init__(
        self, workspace: Workspace, folder: Path, keeper: Keeper, *, closes_workspace: bool = False
    ) -> None:
        self.workspace, self.folder, self.keeper = workspace, folder_name(folder), keeper
        self._closes_workspace = closes_workspace
        self._lock = _locked(workspace, self.folder)
        _flush_every_commit(workspace)
        self._seen = set(self._keys())

    def seen(self, key: FileKey) -> bool:
        """Whether a file in this state has its verdict."""
        return _stored(key) in self._seen

    def record(self, judged: Judged) -> None:
        """Keep a verdict."""
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
        """Return the verdicts that may not have been told."""
        query = select(WatchedFile).where(WatchedFile.folder == self.folder, WatchedFile.finished.is_(None))
        with self.workspace.database.read() as session:
            return [Given.from_dict(row.told) for row in session.scalars(query.order_by(WatchedFile.id))]

    def finish(self, key: FileKey) -> None:
        """Note that a verdict was told."""
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
        if self._closes_workspace:
            self.workspace.close()

    def _keys(self) -> Iterator[FileKey]:
        query = select(WatchedFile.path, WatchedFile.size_bytes, WatchedFile.modified)
        with self.workspace.database.read() as session:
            for path, size, modified in session.execute(query.where(WatchedFile.folder == self.folder)):
                yield FileKey(path, size, int(modified))


def open_history(inspector: Path, folder: Path, say: Callable[[str], None]) -> Journal:
    """Open the history of the workspace for verdicts that a file of an inspector gives (`python -m patchcore watch`).

    Images and overlays are stored in the workspace. A file that is not of this workspace has no inspector in the
    rows, only its name.
    """
    workspace = Workspace()
    keeper = _FileKeeper(workspace, inspector)
    journal = HistoryJournal(workspace, folder, keeper, closes_workspace=True)
    say(f"Verdicts are kept in the history of {workspace.root}.")
    return journal


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
        "verdict": given.verdict,
        "regions": regions,
        "region_count": None if given.score is None else len(given.regions),
        "width": given.width,
        "height": given.height,
        "error": given.error,
    }
    return Inspection(**columns | values)


class _FileKeeper:
    """Keeps verdicts that were given by a file of an inspector."""

    def __init__(self, workspace: Workspace, inspector: Path) -> None:
        self.workspace = workspace
        self._ids = _whose(workspace, inspector)
        self._overlays: dict[FileKey, str] = {}

    def prepare(self, judged: Judged) -> None:
        """Store the image and its overlay."""
        from patchcore.images import display_pixels  # late: PyTorch comes with it

        given, scored = judged.given, judged.scored
        if judged.data:
            self.workspace.store_image(judged.data, display_name(given.file))
        if scored is not None and judged.image is not None and given.key not in self._overlays:
            name = f"{given.sha256[:16]}-file-{secrets.token_hex(4)}.jpg"
            path = f"history/{now():%Y-%m}/{name}"
            heat_from = judged.heat_from or max(float(scored.map.max()) / 2, 1e-6)
            kept, pixels = KeptMap.of(scored.map), display_pixels(judged.image.pixels)
            history.store_overlay(self.workspace, path, kept, pixels, heat_from)
            self._overlays = {given.key: path}

    def keep(self, session: Session, judged: Judged) -> Inspection:
        """Return the row of the verdict."""
        return plain_inspection(judged.given, **self._ids, overlay_path=self._overlays.get(judged.given.key))


def folder_name(folder: Path) -> str:
    """Return a folder as the database names it."""
    return _storable(str(folder.resolve()))


def _whose(workspace: Workspace, inspector: Path) -> dict[str, Any]:
    """Return the columns that say which version a file is, where it is one of this workspace."""
    try:
        path = workspace.relative(inspector.resolve())
    except ValueError:
        return {}
    query = select(InspectorVersion, Inspector).join(Inspector, Inspector.id == InspectorVersion.inspector_id)
    with workspace.database.read() as session:
        found = session.execute(query.where(InspectorVersion.path == path).limit(1)).first()
    if found is None:
        return {}
    version, owner = found
    return {
        "inspector_id": owner.id,
        "inspector_name": owner.name,
        "version_id": version.id,
        "version_number": version.number,
    }


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
