"""Waiting for processes, and the command that runs rehearsals instead of real jobs."""

import sys
import time
from pathlib import Path

from workbench.jobs.requests import JobState, cancel, list_jobs

REHEARSAL = (sys.executable, str(Path(__file__).with_name("rehearsal.py")))


def end_all(workspace):
    for job in list_jobs(workspace, JobState.RUNNING, JobState.QUEUED):
        cancel(workspace, job.id)
    wait_until(lambda: not list_jobs(workspace, JobState.RUNNING, JobState.QUEUED))


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
