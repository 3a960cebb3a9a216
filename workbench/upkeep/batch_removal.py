"""Removal of a batch: its images, results and labels go, with the files that nothing else refers to; verdicts stay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from patchcore.disk.in_use import delete_file
from workbench.jobs.requests import JobState
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import note_event
from workbench.storage.tables import (
    Batch,
    BatchImage,
    Image,
    Inspection,
    Inspector,
    InspectorVersion,
    Job,
    PointRecord,
    Result,
    Watch,
)
from workbench.storage.workspace import Workspace
from workbench.upkeep.expiry import free_pictures, map_files
from workbench.upkeep.row_removal import delete_rows


@dataclass(frozen=True)
class BatchContents:
    """The contents of a batch, and what hangs on it.

    Attributes
    ----------
    images
        Number of its images.
    scored
        Number of its images that any version has scored.
    labelled
        Number of its images that have a label.
    masks
        Number of its images that have a mask.
    verdicts
        Number of its verdicts, which stay in the history.
    decided
        Number of its verdicts on which a person has decided.
    evidence
        Number of its images that a threshold in force was set from; the threshold stays, and these pictures with it.
    pictures
        Number of the files that nothing else refers to, and that go with it.
    size_bytes
        Size of these files.
    """

    images: int
    scored: int
    labelled: int
    masks: int
    verdicts: int
    decided: int
    evidence: int
    pictures: int
    size_bytes: int


def contents(workspace: Workspace, batch_id: int) -> BatchContents:
    """Count what goes with a batch and what hangs on it; nothing is changed.

    Raises
    ------
    WorkspaceError
        There is no such batch.
    """
    with workspace.database.read() as session:
        return _contents(workspace, session, _require(session, batch_id))


def delete_batch(workspace: Workspace, batch_id: int) -> BatchContents:
    """Delete a batch for good, rows first and files after; return what it held.

    The history keeps its verdicts with their pictures, and a threshold the images that it was set from. Files that a
    crash leaves are found by the check.

    Raises
    ------
    NotAllowed
        The person acting is no engineer.
    WorkspaceError
        There is no such batch, it holds the good images of a bank, its folder is watched, or a job works on it.
    """
    require(Role.ENGINEER, "delete batches")
    with workspace.database.write() as session:
        batch = _require(session, batch_id)
        _require_rest(session, batch)
        found = _contents(workspace, session, batch)
        hashes, maps, created = _hashes(session, batch_id), _maps(session, batch_id), batch.created
        note_event(session, "delete batch", batch.inspector_id, name=batch.name, images=found.images)
        _forget_in_jobs(session, batch_id)
        delete_rows(session, Batch.__table__, [batch_id])  # type: ignore[arg-type]
        maps -= set(session.scalars(select(Result.map_path)))
        pictures = _untouched(workspace, free_pictures(workspace, session, hashes), created)
        delete_rows(session, Image.__table__, [one.sha256 for one in pictures])  # type: ignore[arg-type]
        files = [file for path in maps for file in map_files(workspace, path)]
    for picture in pictures:
        if _untouched(workspace, [picture], created):  # nobody has brought it in again since
            files.append(workspace.image_file(picture.sha256, picture.suffix))
            files.append(workspace.thumbnail_path(picture.sha256))
    for file in files:
        delete_file(file)
    return found


def _contents(workspace: Workspace, session: Session, batch: Batch) -> BatchContents:
    of_batch = BatchImage.batch_id == batch.id
    images = list(session.scalars(select(BatchImage).where(of_batch)))
    scored = select(func.count(func.distinct(Result.batch_image_id))).join(Result.image).where(of_batch)
    verdicts = (
        select(func.count(Inspection.id), func.count(Inspection.decision))
        .join(BatchImage, BatchImage.id == Inspection.batch_image_id)
        .where(of_batch)
    )
    judged, decided = session.execute(verdicts).one()
    hashes = _hashes(session, batch.id)
    free = free_pictures(workspace, session, hashes, besides=batch.id)
    pictures = _untouched(workspace, free, batch.created)
    return BatchContents(
        images=len(images),
        scored=session.scalar(scored) or 0,
        labelled=sum(one.truth is not None for one in images),
        masks=sum(one.mask_sha256 is not None for one in images),
        verdicts=judged,
        decided=decided,
        evidence=len(_evidence(session, batch.inspector_id) & {one.sha256 for one in images}),
        pictures=len(pictures),
        size_bytes=sum(one.size_bytes for one in pictures),
    )


def _require(session: Session, batch_id: int) -> Batch:
    return required(session, Batch, batch_id, "This batch is not there any more.")


def _require_rest(session: Session, batch: Batch) -> None:
    """Refuse the good images of a bank, and a batch that something works on."""
    if batch.kind != "test":
        raise WorkspaceError("These are the good images of a bank. They go with the inspector.")
    watch = None if batch.watch_id is None else session.get(Watch, batch.watch_id)
    if watch is not None and watch.stopped is None:
        raise WorkspaceError(
            f"{batch.name} comes from the folder {watch.folder}, which is watched. Stop that first."
        )
    for job in session.scalars(select(Job).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING)))):
        if job.arguments.get("batch_id") == batch.id:
            raise WorkspaceError(f"A job works on {batch.name}: {job.title}. Cancel it, or wait for it.")


def _hashes(session: Session, batch_id: int) -> set[str]:
    """Return the pictures and masks of a batch."""
    rows = session.execute(
        select(BatchImage.sha256, BatchImage.mask_sha256).where(BatchImage.batch_id == batch_id)
    )
    return {sha256 for row in rows for sha256 in row if sha256 is not None}


def _maps(session: Session, batch_id: int) -> set[str]:
    query = select(Result.map_path).join(Result.image).where(BatchImage.batch_id == batch_id)
    return {path for path in session.scalars(query.distinct()) if path is not None}


def _evidence(session: Session, inspector_id: str) -> set[str]:
    """Return the images that the thresholds in force of an inspector's version in use were set from."""
    query = (
        select(PointRecord.data)
        .join(InspectorVersion, InspectorVersion.id == PointRecord.version_id)
        .join(Inspector, Inspector.current_id == InspectorVersion.id)
        .where(Inspector.id == inspector_id)
        .order_by(PointRecord.id.desc())
        .limit(1)
    )
    data = session.scalar(query)
    return set() if data is None else {sha256 for part in data["evidence"].values() for sha256 in part}


def _forget_in_jobs(session: Session, batch_id: int) -> None:
    """Remove a batch from the arguments of jobs: the database may reuse its number."""
    for job in session.scalars(select(Job)):
        if job.arguments.get("batch_id") == batch_id:  # without its bank, its figures are shown nowhere
            job.arguments = {**job.arguments, "batch_id": None, "bank_id": None}


def _untouched(workspace: Workspace, pictures: Iterable[Row], created: datetime) -> list[Row]:  # type: ignore[type-arg]
    """Return the pictures that nobody has brought in again since the batch was made: such are somebody's work."""
    return [one for one in pictures if not _is_younger(workspace.image_file(one.sha256, one.suffix), created)]


def _is_younger(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime > moment.timestamp()
    except FileNotFoundError:
        return False
