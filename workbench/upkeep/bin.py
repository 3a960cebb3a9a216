"""The library's bin: deleted inspectors and versions, their return, and their deletion for good."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workbench.inspections.turns.rows import stop_all
from workbench.inspectors.names import free_name
from workbench.inspectors.point_history import require_version
from workbench.jobs.requests import JobState
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.places import require_id
from workbench.storage.revisions import note_change, note_event
from workbench.storage.tables import Batch, BatchImage, Event, Inspector, InspectorVersion, Job, Result, Watch
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.purge import delete_files, remove_inspector, remove_version

DELETE_INSPECTOR, DELETE_VERSION = "delete inspector", "delete version"


@dataclass(frozen=True)
class Binned:
    """Something in the bin.

    Attributes
    ----------
    inspector, version
        The rows; no version: the whole inspector.
    deleted, deleted_by
        Time and person of the deletion.
    results
        The number of results deleted with it for good.
    megabytes
        Size of its banks on the disk.
    keeps_bank
        Whether its bank stays because other versions use it.
    """

    inspector: Inspector
    version: InspectorVersion | None
    deleted: datetime
    deleted_by: str
    results: int
    megabytes: float
    keeps_bank: bool

    @property
    def key(self) -> str:
        """Unique among all entries of the bin."""
        return self.inspector.id if self.version is None else f"{self.inspector.id}/{self.version.number}"

    @property
    def title(self) -> str:
        """Its name, as the user knows it."""
        if self.version is None:
            return self.inspector.name
        return f"Version {self.version.number} of {self.inspector.name}"


def delete_inspector(workspace: Workspace, inspector_id: str, *, seen: int | None = None) -> None:
    """Put an inspector with all its versions into the bin.

    Raises
    ------
    WorkspaceError
        A job works on it, it watches a folder, or no inspector has this id.
    """
    require(Role.ENGINEER, "delete inspectors")
    require_id(inspector_id)
    with workspace.database.write() as session:
        inspector = note_change(session, inspector_id, DELETE_INSPECTOR, seen=seen)
        _require_rest(session, inspector)
        stop_all(session, inspector_id=inspector.id)
        inspector.deleted = inspector.deleted or now()


def delete_version(workspace: Workspace, version_id: int, *, seen: int | None = None) -> None:
    """Put a version into the bin.

    Raises
    ------
    WorkspaceError
        The version is in use, or does not exist.
    """
    require(Role.ENGINEER, "delete versions")
    with workspace.database.write() as session:
        version = require_version(session, version_id)
        inspector = note_change(
            session, version.inspector_id, DELETE_VERSION, seen=seen, number=version.number
        )
        if inspector.current_id == version.id:
            raise WorkspaceError(
                f"Version {version.number} is in use. Put another version into use, then delete this one."
            )
        stop_all(session, version_id=version.id)
        version.deleted = version.deleted or now()


def list_bin(workspace: Workspace) -> list[Binned]:
    """Return the contents of the bin, the latest first; an inspector's entry stands for its versions too."""
    with workspace.database.read() as session:
        inspectors = list(session.scalars(select(Inspector).where(Inspector.deleted.is_not(None))))
        versions = session.execute(
            select(InspectorVersion, Inspector)
            .join(Inspector, Inspector.id == InspectorVersion.inspector_id)
            .where(InspectorVersion.deleted.is_not(None), Inspector.deleted.is_(None))
        )
        found = [_binned_inspector(workspace, session, one) for one in inspectors]
        found += [_binned_version(workspace, session, one, of) for one, of in versions]
    return sorted(found, key=lambda one: one.deleted, reverse=True)


def bring_back(workspace: Workspace, binned: Binned) -> None:
    """Take an entry out of the bin, unchanged; an inspector whose name has gone to another gets a number after it."""
    require(Role.ENGINEER, "restore from the bin")
    with workspace.database.write() as session:
        if binned.version is None:
            inspector = note_change(session, binned.inspector.id, "bring back inspector")
            inspector.name = free_name(session, inspector.name, besides=inspector.id)
            inspector.deleted = None
            return
        version = required(
            session, InspectorVersion, binned.version.id, f"{binned.title} is not in the bin any more."
        )
        note_change(session, version.inspector_id, "bring back version", number=version.number)
        version.deleted = None


def delete_for_good(workspace: Workspace, chosen: Sequence[Binned]) -> list[str]:
    """Delete entries of the bin for good, rows first and files after, and return the deleted entries.

    The history keeps their inspections, by name and number. Good images and test images stay: other inspectors may use
    them. Entries brought back meanwhile are left alone.

    Raises
    ------
    WorkspaceError
        A job works on one of the inspectors, or a row names a file outside of its own folder; the entries chosen before
        it are deleted.
    """
    require(Role.ENGINEER, "delete for good")
    titles = []
    for one in chosen:
        with workspace.database.write() as session:
            inspector = session.get(Inspector, one.inspector.id)
            if inspector is None:
                continue
            if one.version is None:
                if inspector.deleted is None:
                    continue
                _require_rest(session, inspector)
                files = remove_inspector(workspace, session, inspector)
            else:
                version = session.get(InspectorVersion, one.version.id)
                if version is None or version.deleted is None or version.id == inspector.current_id:
                    continue
                files = remove_version(workspace, session, inspector, version)
            note_event(session, "delete for good", None, what=one.title)
        delete_files(workspace, files)
        titles.append(one.title)
    return titles


def _require_rest(session: Session, inspector: Inspector) -> None:
    """Refuse while a job works on an inspector or it watches a folder."""
    active = session.scalars(select(Job).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING))))
    for job in active:
        if job.arguments.get("inspector_id") == inspector.id:
            raise WorkspaceError(f"A job works on {inspector.name}: {job.title}. Cancel it, or wait for it.")
    watch = select(Watch.folder).where(Watch.inspector_id == inspector.id, Watch.stopped.is_(None)).limit(1)
    if (folder := session.scalar(watch)) is not None:
        raise WorkspaceError(f"{inspector.name} watches the folder {folder}. Stop that first.")


def _binned_inspector(workspace: Workspace, session: Session, inspector: Inspector) -> Binned:
    versions = list(
        session.scalars(select(InspectorVersion).where(InspectorVersion.inspector_id == inspector.id))
    )
    results = (
        select(func.count(Result.id))
        .join(BatchImage, BatchImage.id == Result.batch_image_id)
        .join(Batch, Batch.id == BatchImage.batch_id)
        .where(Batch.inspector_id == inspector.id)
    )
    return Binned(
        inspector,
        None,
        inspector.deleted or now(),
        _deleted_by(session, inspector.id, DELETE_INSPECTOR),
        session.scalar(results) or 0,
        _megabytes(workspace, versions),
        keeps_bank=False,
    )


def _binned_version(
    workspace: Workspace, session: Session, version: InspectorVersion, inspector: Inspector
) -> Binned:
    same_bank = select(func.count()).where(
        InspectorVersion.path == version.path, InspectorVersion.id != version.id
    )
    keeps_bank = bool(session.scalar(same_bank))
    return Binned(
        inspector,
        version,
        version.deleted or now(),
        _deleted_by(session, inspector.id, DELETE_VERSION, version.number),
        session.scalar(select(func.count()).where(Result.version_id == version.id)) or 0,
        0.0 if keeps_bank else _megabytes(workspace, [version]),
        keeps_bank,
    )


def _deleted_by(session: Session, inspector_id: str, action: str, number: int | None = None) -> str:
    events = select(Event).where(Event.inspector_id == inspector_id, Event.action == action)
    for event in session.scalars(events.order_by(Event.id.desc())):
        if number is None or event.details.get("number") == number:
            return event.person
    return ""


def _megabytes(workspace: Workspace, versions: Iterable[InspectorVersion]) -> float:
    files: set[Path] = set()
    for version in versions:
        with suppress(WorkspaceError):  # a path that leads elsewhere is not a file of ours
            files.add(workspace.model_path(version.inspector_id, version.path))
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6
