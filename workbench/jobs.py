"""Jobs as the pages see them: submit, look at, cancel, resume, discard; each runs in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from workbench.database import Job
from workbench.workspace import Workspace

KINDS = {"build": "workbench.building:run_build"}
"""Which function does which kind of job; imported in the job's own process only."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its process died; it can be resumed from its checkpoints


UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.INTERRUPTED)


def submit(workspace: Workspace, kind: str, title: str, arguments: Mapping[str, Any]) -> int:
    """Record a job for the queue and return its id."""
    raise NotImplementedError


def get_job(workspace: Workspace, job_id: int) -> Job:
    """Return a job as it stands: `.state`, `.stage`, `.done`, `.total`, `.eta_seconds`, `.message`, `.result`.

    Raises
    ------
    WorkspaceError
        When there is none with that id.
    """
    raise NotImplementedError


def list_jobs(workspace: Workspace, *states: JobState, limit: int = 50) -> list[Job]:
    """Return jobs in these states (all, when none is named), newest first."""
    raise NotImplementedError


def cancel(workspace: Workspace, job_id: int) -> None:
    """Ask a job to stop: at once when it waits, within two seconds when it runs."""
    raise NotImplementedError


def resume(workspace: Workspace, job_id: int) -> None:
    """Queue an interrupted or failed job again; it goes on from its checkpoints."""
    raise NotImplementedError


def discard(workspace: Workspace, job_id: int) -> None:
    """Give up an interrupted or failed job and delete its checkpoints."""
    raise NotImplementedError


def read_log(workspace: Workspace, job_id: int, tail: int = 200) -> str:
    """Return the last lines of what a job wrote."""
    raise NotImplementedError
