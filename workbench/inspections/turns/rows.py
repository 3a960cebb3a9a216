"""The rows of the queue: batches that wait and batches that were stopped, so that a restart loses neither."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from patchcore.disk.work_notes import STOPPED
from patchcore.errors import PROGRAM_FAILED
from workbench.storage.revisions import note_event
from workbench.storage.tables import (
    Batch,
    BatchImage,
    Inspection,
    Inspector,
    InspectorVersion,
    Result,
    Scoring,
)
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

Work = tuple[int, int]  # batch id, version id


@dataclass(frozen=True)
class Amount:
    """How far versions are with batches."""

    scored: int
    images: int

    @property
    def remaining(self) -> int:
        """Images that are not scored yet."""
        return self.images - self.scored


def amount(workspace: Workspace, works: Iterable[Work]) -> Amount:
    """Count the images of batches, and those that their versions have scored."""
    scored = images = 0
    with workspace.database.read() as session:
        for batch_id, version_id in works:
            of_version = (Result.batch_image_id == BatchImage.id) & (Result.version_id == version_id)
            query = (
                select(func.count(BatchImage.id), func.count(Result.id))
                .outerjoin(Result, of_version)
                .where(BatchImage.batch_id == batch_id)
            )
            counted = session.execute(query).one()
            images, scored = images + counted[0], scored + counted[1]
    return Amount(scored, images)


def list_rows(workspace: Workspace) -> Sequence[Scoring]:
    """Return all rows in the order in which they were asked for."""
    with workspace.database.read() as session:
        return list(session.scalars(select(Scoring).order_by(Scoring.id)))


def keep(workspace: Workspace, work: Work, made_by: str, *, stopped: bool = False) -> bool:
    """Keep that a batch waits, or that a person has stopped it; False where batch or version are gone."""
    batch_id, version_id = work
    with workspace.database.write() as session:
        if session.get(Batch, batch_id) is None or session.get(InspectorVersion, version_id) is None:
            return False
        query = select(Scoring).where(Scoring.batch_id == batch_id, Scoring.version_id == version_id)
        row = session.scalar(query) or Scoring(batch_id=batch_id, version_id=version_id, made_by=made_by)
        row.stopped = now() if stopped else None
        session.add(row)
    return True


def drop(workspace: Workspace, work: Work) -> None:
    """Drop a row: all is scored, or scoring has failed."""
    batch_id, version_id = work
    with workspace.database.write() as session:
        session.execute(delete(Scoring).where(Scoring.batch_id == batch_id, Scoring.version_id == version_id))


def is_worth_another_try(reason: str | None) -> bool:
    """Whether an image was set aside because the program failed on it: another try may end otherwise."""
    return (reason or "").startswith((STOPPED, PROGRAM_FAILED))


def drop_set_aside(workspace: Workspace, work: Work) -> int:
    """Drop the results of images on which the program failed, and return their number; they are unscored again.

    The deaths on them are forgotten. No verdict is lost: these rows of the history hold none.
    """
    batch_id, version_id = work
    query = select(Result).join(Result.image).where(BatchImage.batch_id == batch_id)
    with workspace.database.write() as session:
        found = session.scalars(query.where(Result.version_id == version_id, Result.error.is_not(None)))
        again = [result for result in found if is_worth_another_try(result.error)]
        for result in again:
            workspace.notes.forget(result.image.sha256)
            same = Inspection.batch_image_id == result.batch_image_id
            session.execute(
                delete(Inspection).where(
                    same, Inspection.version_id == version_id, Inspection.error.is_not(None)
                )
            )
            session.delete(result)
        if again:
            inspector_id = session.get_one(Batch, batch_id).inspector_id
            note_event(session, "try again", inspector_id, batch=batch_id, images=len(again))
    return len(again)


def titles(workspace: Workspace, works: Iterable[Work]) -> dict[Work, str]:
    """Return the name of each batch with its version's inspector; works whose rows are gone are left out."""
    found = {}
    with workspace.database.read() as session:
        for work in works:
            batch, version = session.get(Batch, work[0]), session.get(InspectorVersion, work[1])
            inspector = None if version is None else session.get(Inspector, version.inspector_id)
            if batch is not None and inspector is not None:
                found[work] = f"{batch.name}, {inspector.name}"
    return found
