"""The rows of the queue: batches that wait and batches that were stopped, so that a restart loses neither.

Several servers may work on one database. A server takes a batch by its row, as a queue takes a job; the row of a server
that has died, or that is silent, is free for the next one.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import psutil
from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from patchcore.disk.work_notes import STOPPED
from patchcore.errors import PROGRAM_FAILED
from workbench.jobs.elapsed import Unchanged
from workbench.jobs.queue import SILENCE, find_process
from workbench.storage.processes import Start, start_of
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
_beats = Unchanged()  # of servers on other computers, as this one has observed them


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


def find(workspace: Workspace, work: Work) -> Scoring | None:
    """Return the row of a batch; None where nobody has asked for it, or all is scored."""
    with workspace.database.read() as session:
        return session.scalar(_row_of(work))


def keep(workspace: Workspace, work: Work, made_by: str, *, stopped: bool = False) -> bool:
    """Keep that a batch waits, and take it for this server; or keep that a person has stopped it, for no server.

    False where batch or version are gone or in the bin, and where another server is at work on it.
    """
    batch_id, version_id = work
    with workspace.database.write() as session:
        if not _is_there(session, batch_id, version_id):
            return False
        row = session.scalar(_row_of(work))
        if row is None:
            row = Scoring(batch_id=batch_id, version_id=version_id, made_by=made_by)
        if stopped:
            row.stopped, row.host, row.pid, row.heartbeat = now(), None, None, None
            row.process_started = row.process_boot = None
        elif is_elsewhere(row):
            return False
        else:
            row.stopped, row.heartbeat = None, now()
            row.host, row.pid, (row.process_started, row.process_boot) = this_server()
        session.add(row)
    return True


def stop_all(session: Session, *, inspector_id: str | None = None, version_id: int | None = None) -> None:
    """Stop what waits for an inspector or a version that goes to the bin; once it is back, a person continues."""
    versions = select(InspectorVersion.id).where(InspectorVersion.inspector_id == inspector_id)
    batches = select(Batch.id).where(Batch.inspector_id == inspector_id)
    of_them = or_(
        Scoring.version_id == version_id, Scoring.version_id.in_(versions), Scoring.batch_id.in_(batches)
    )
    free = dict.fromkeys(("host", "pid", "process_started", "process_boot", "heartbeat"))
    session.execute(update(Scoring).where(of_them, Scoring.stopped.is_(None)).values(stopped=now(), **free))


def is_held(workspace: Workspace, work: Work) -> bool:
    """Whether a batch is still this server's to score: nobody has stopped, deleted or taken it over."""
    row = find(workspace, work)
    return row is not None and row.stopped is None and is_ours(row)


def beat(workspace: Workspace) -> None:
    """Report that this server is alive, with all that it has taken."""
    with workspace.database.write() as session:
        session.execute(update(Scoring).where(*_ours()).values(heartbeat=now()))


def is_ours(row: Scoring) -> bool:
    """Whether this server has taken a batch."""
    host, pid, start = this_server()
    if (row.host, row.pid) != (host, pid) or row.process_started is None:
        return False
    return start.is_same(Start(row.process_started, row.process_boot))


def is_elsewhere(row: Scoring) -> bool:
    """Whether another server that is alive has taken a batch."""
    if row.host is None or is_ours(row):
        return False
    if row.host == socket.gethostname():
        return find_process(row) is not None
    return row.heartbeat is not None and _beats.time(row.id, row.heartbeat) < SILENCE


@cache
def _start() -> Start:
    return start_of(psutil.Process())


def this_server() -> tuple[str, int, Start]:
    """Return host, process id and start of this server."""
    return socket.gethostname(), os.getpid(), _start()


def drop(workspace: Workspace, work: Work) -> None:
    """Drop a row that no other server has: all is scored, or scoring has failed."""
    batch_id, version_id = work
    with workspace.database.write() as session:
        of_it = (Scoring.batch_id == batch_id, Scoring.version_id == version_id)
        session.execute(delete(Scoring).where(*of_it, or_(Scoring.host.is_(None), and_(*_ours()))))


def _ours() -> tuple[ColumnElement[bool], ...]:
    host, pid, start = this_server()
    apart, boot = func.abs(Scoring.process_started - start.seconds), Scoring.process_boot
    same_boot = boot.is_(None) if start.boot is None else boot == start.boot
    return Scoring.host == host, Scoring.pid == pid, same_boot, apart < start.tolerance


def _row_of(work: Work) -> Select[Scoring]:
    return select(Scoring).where(Scoring.batch_id == work[0], Scoring.version_id == work[1])


def _is_there(session: Session, batch_id: int, version_id: int) -> bool:
    """Whether a batch and a version exist, and neither lies in the bin."""
    batch, version = session.get(Batch, batch_id), session.get(InspectorVersion, version_id)
    if batch is None or version is None or version.deleted is not None:
        return False
    inspectors = [session.get(Inspector, one.inspector_id) for one in (batch, version)]
    return all(one is not None and one.deleted is None for one in inspectors)


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
