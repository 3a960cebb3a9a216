"""Jobs as the pages see them: submit, look at, cancel, resume, discard; each runs in a process of its own."""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.jobs.arguments import check_arguments, check_inspector
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.tables import Job, Watch
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

STANDING = {"watch": 4}
"""Kinds of jobs that run until they are stopped, and the number of each that run at once besides all other jobs.

The queue itself starts a standing job again after its process died.
"""


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its process died; it can be resumed from its checkpoints


UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.INTERRUPTED)
RESUMABLE = (JobState.INTERRUPTED, JobState.FAILED)


def submit(workspace: Workspace, kind: str, title: str, arguments: Mapping[str, Any]) -> int:
    """Record a job for the queue and return its id; the job acts as the person who submits it.

    Raises
    ------
    WorkspaceError
        When its `inspector_id` cannot be the id of an inspector.
    """
    person = require(Role.OPERATE, "start jobs")
    check_inspector(arguments, title or kind)
    job = Job(kind=kind, title=title, arguments=dict(arguments), made_by=person.name, state=JobState.QUEUED)
    with workspace.database.write() as session:
        session.add(job)
    return job.id


def get_job(workspace: Workspace, job_id: int) -> Job:
    """Return a job as it stands: `.state`, `.stage`, `.done`, `.total`, `.eta_seconds`, `.message`.

    Raises
    ------
    WorkspaceError
        When no job has this id.
    """
    with workspace.database.read() as session:
        return _require(session, job_id)


def list_jobs(workspace: Workspace, *states: JobState, limit: int = 50, standing: bool = True) -> list[Job]:
    """Return jobs in these states (default: all), newest first; standing jobs only on request."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if states:
        query = query.where(Job.state.in_(states))
    if not standing:
        query = query.where(Job.kind.not_in(STANDING))
    with workspace.database.read() as session:
        return list(session.scalars(query))


def cancel(workspace: Workspace, job_id: int) -> None:
    """Ask a job to stop: a waiting one stops at once, a running one within two seconds.

    Raises
    ------
    WorkspaceError
        When no job has this id, or it is a standing job.
    """
    require(Role.OPERATE, "cancel jobs")
    with workspace.database.write() as session:
        job = _require(session, job_id)
        _require_no_standing(job)
        if job.state == JobState.RUNNING:
            job.cancel_requested = job.cancel_requested or now()
        elif job.state == JobState.QUEUED:
            job.state, job.finished = JobState.CANCELLED, now()
    if job.state == JobState.CANCELLED:
        delete_scratch(workspace, job_id)


def resume(workspace: Workspace, job_id: int) -> None:
    """Queue an interrupted or failed job again; it continues from its checkpoints as the same person.

    Raises
    ------
    WorkspaceError
        When no job has this id, its arguments are unsound, or its folder is no longer to be watched.
    """
    require(Role.OPERATE, "resume jobs")
    with workspace.database.write() as session:
        job = _require(session, job_id)
        if job.state in RESUMABLE:
            check_arguments(job.kind, job.arguments, job.title)
            _require_watch(session, job)
            job.state, job.message, job.stage, job.stages = JobState.QUEUED, "", "", []
            job.done = job.total = 0
            job.cancel_requested = job.eta_seconds = job.finished = None
            job.pid = job.process_started = job.process_boot = None


def discard(workspace: Workspace, job_id: int) -> None:
    """Give up an interrupted or failed job and delete its checkpoints; errors as for `cancel`."""
    require(Role.OPERATE, "discard jobs")
    with workspace.database.write() as session:
        job = _require(session, job_id)
        _require_no_standing(job)
        discarded = job.state in RESUMABLE
        if discarded:
            job.state, job.finished = JobState.CANCELLED, now()
    if discarded:
        delete_scratch(workspace, job_id)


def read_log(workspace: Workspace, job_id: int, tail: int = 200) -> str:
    """Return the last lines of a job's output."""
    path = log_path(workspace, job_id)
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return "".join(deque(file, maxlen=tail))


def log_path(workspace: Workspace, job_id: int) -> Path:
    """Return the file of a job's output."""
    return workspace.below(workspace.job_folder(job_id) / "job.log", "jobs", str(job_id))


def scratch_path(workspace: Workspace, job_id: int) -> Path:
    """Return the folder of a job's checkpoints."""
    return workspace.below(workspace.job_folder(job_id) / "scratch", "jobs", str(job_id))


def delete_scratch(workspace: Workspace, job_id: int) -> None:
    """Delete a job's checkpoints; its log stays."""
    workspace.delete(scratch_path(workspace, job_id), "jobs", str(job_id))


def _require_no_standing(job: Job) -> None:
    if job.kind in STANDING:
        raise WorkspaceError(
            f"{job.title} runs until it is stopped where it was started: Watched folder, on the page Inspect."
        )


def _require_watch(session: Session, job: Job) -> None:
    """Refuse to resume a watch that was stopped: watching again starts a new job."""
    if job.kind not in STANDING:
        return
    watch = session.get(Watch, job.arguments["watch_id"])
    if watch is None or watch.stopped is not None or watch.job_id != job.id:
        raise WorkspaceError(
            f"{job.title} was stopped. Start a new watch where it is wanted: Watched folder, on the page Inspect."
        )


def _require(session: Session, job_id: int) -> Job:
    return required(session, Job, job_id, f"There is no job {job_id}.")
