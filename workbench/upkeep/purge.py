"""Purge: an inspector or a version is removed for good, rows first, then files that nothing else names."""

from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from workbench.storage.places import require_id
from workbench.storage.tables import (
    Batch,
    BatchImage,
    Event,
    Inspector,
    InspectorImage,
    InspectorVersion,
    Job,
    Result,
)
from workbench.storage.workspace import Workspace
from workbench.upkeep.row_removal import delete_rows
from workbench.uploads import pending


def remove_inspector(workspace: Workspace, session: Session, inspector: Inspector) -> list[Path]:
    """Remove an inspector with its versions, batches and results; return the files that no row names any more.

    Its verdicts stay in the history, which has its name; so do the events.

    Raises
    ------
    WorkspaceError
        Its id, or the path of one of its files, leads out of its own folder; nothing is removed then.
    """
    own = workspace.below(f"inspectors/{require_id(inspector.id)}", "inspectors")
    versions = list(
        session.scalars(select(InspectorVersion).where(InspectorVersion.inspector_id == inspector.id))
    )
    batches = list(session.scalars(select(Batch.id).where(Batch.inspector_id == inspector.id)))
    of_batches = list(
        session.scalars(
            select(Result.map_path).join(BatchImage).where(BatchImage.batch_id.in_(batches)).distinct()
        )
    )
    folders = [_results(workspace, version.id) for version in versions]
    for event in session.scalars(select(Event).where(Event.inspector_id == inspector.id)):
        event.inspector_id, event.details = None, {**event.details, "inspector": inspector.name}
    _forget_in_jobs(session, {version.id for version in versions}, None)
    inspector.current_id = None
    session.flush()
    delete_rows(session, Batch.__table__, batches)  # type: ignore[arg-type]
    session.execute(
        update(InspectorVersion).where(InspectorVersion.inspector_id == inspector.id).values(base_id=None)
    )
    delete_rows(session, Inspector.__table__, [inspector.id])  # type: ignore[arg-type]
    waiting = pending.folders_of_inspector(workspace, inspector.id)
    return [*folders, own, *waiting, *_unnamed(workspace, session, of_batches)]


def remove_version(
    workspace: Workspace, session: Session, inspector: Inspector, version: InspectorVersion
) -> list[Path]:
    """Remove a version that is not in use; return the files that no row names any more.

    Where other versions use its bank, the first of them owns bank and good images from then on. Errors as for
    `remove_inspector`.
    """
    files = [_results(workspace, version.id)]
    model = workspace.model_path(inspector.id, version.path)
    workspace.below(model.parent, "inspectors", inspector.id)
    heir = _hand_over(session, version)
    if heir is None and version.base_id is None:
        batches = list(session.scalars(select(Batch.id).where(Batch.bank_id == version.id)))
        delete_rows(session, Batch.__table__, batches)  # type: ignore[arg-type]
    _forget_in_jobs(session, {version.id}, heir)
    inspector.last_number = max(inspector.last_number, version.number)
    session.flush()
    delete_rows(session, InspectorVersion.__table__, [version.id])  # type: ignore[arg-type]
    if not session.scalar(select(func.count()).where(InspectorVersion.path == version.path)):
        files.append(model.parent)
    return files


def delete_files(workspace: Workspace, files: list[Path]) -> None:
    """Delete files and folders of the workspace; the check finds files left by a crash."""
    for path in files:
        place = workspace.relative(path).partition("/")[0]
        if not path.is_dir():
            workspace.delete(path.with_suffix(".tile"), place)
        workspace.delete(path, place)


def _results(workspace: Workspace, version_id: int) -> Path:
    """Return the folder of a version's anomaly maps."""
    return workspace.below(f"results/{version_id}", "results")


def _hand_over(session: Session, version: InspectorVersion) -> int | None:
    """Give bank and good images to the first of the versions that use them, and return its id."""
    users = list(
        session.scalars(
            select(InspectorVersion)
            .where(InspectorVersion.base_id == version.id)
            .order_by(InspectorVersion.id)
        )
    )
    if not users:
        return None
    heir = users[0].id
    for user in users:
        user.base_id = None if user.id == heir else heir
    session.flush()
    for column in (InspectorImage.version_id, Batch.bank_id):
        session.execute(update(column.class_).where(column == version.id).values({column.key: heir}))
    return heir


def _forget_in_jobs(session: Session, gone: set[int], heir: int | None) -> None:
    """Remove a deleted version from the arguments of jobs: the database may reuse its number."""
    for job in session.scalars(select(Job)):
        changed = {
            name: heir if name == "bank_id" else None
            for name in ("bank_id", "version_id")
            if job.arguments.get(name) in gone
        }
        if changed:
            job.arguments = {**job.arguments, **changed}
        if job.result is not None and job.result.get("version_id") in gone:
            job.result = {**job.result, "version_id": None}


def _unnamed(workspace: Workspace, session: Session, maps: list[str | None]) -> list[Path]:
    """Return those anomaly maps that no result names any more."""
    named = set(session.scalars(select(Result.map_path)))
    return [workspace.below(path, "results") for path in maps if path is not None and path not in named]
