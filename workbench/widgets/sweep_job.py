"""The job that measures every bank size: finding it again, and why it ended without a result."""

from __future__ import annotations

import streamlit as st

from workbench.jobs import JobState, list_jobs
from workbench.tables import Batch, InspectorVersion, Job
from workbench.widgets import session
from workbench.workspace import Workspace

KIND = "sweep"
RUNNING = (JobState.QUEUED, JobState.RUNNING)


def of(workspace: Workspace, version: InspectorVersion, batch: Batch) -> Job | None:
    """Return the latest sweep of a bank over a batch, whatever became of it."""
    wanted = {"bank_id": version.bank_id, "batch_id": batch.id}
    for job in list_jobs(workspace, limit=200):
        if job.kind == KIND and all(job.arguments.get(name) == value for name, value in wanted.items()):
            return job
    return None


def is_running(job: Job) -> bool:
    """Whether it is still on its way."""
    return job.state in RUNNING


def why_not(job: Job | None) -> None:
    """Say why the last sweep has no result."""
    if job is None or job.state == JobState.DONE:
        return
    if job.state == JobState.CANCELLED:
        st.caption("The last comparison was cancelled.")
    else:
        st.error(
            session.sentence(job.message or "The last comparison ended before it was done. Start it again.")
        )
