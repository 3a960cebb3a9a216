"""The queue: starts waiting jobs in order, watches their processes, ends those that were cancelled."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from workbench.workspace import Workspace

COMMAND = (sys.executable, "-m", "workbench.jobs", "run")


class JobQueue:
    """Keeps at most `capacity` jobs of a workspace running, each a child process of this one.

    Several queues may serve one workspace: a job is claimed in the database before it starts. Jobs outlive the
    queue that started them; the next queue finds them by process id and start time.

    Parameters
    ----------
    capacity
        How many jobs run at once.
    command
        What runs a job; the workspace's folder and the job's id are appended.
    """

    def __init__(self, workspace: Workspace, *, capacity: int = 1, command: Sequence[str] = COMMAND) -> None:
        self.workspace = workspace
        self.capacity = capacity
        self.command = tuple(command)

    def start(self) -> JobQueue:
        """Keep the queue moving from a background thread until `stop`; returns itself."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the background thread; running jobs go on."""
        raise NotImplementedError

    def step(self) -> None:
        """Do once what there is to do: reap, mark the interrupted, end the cancelled, start the waiting."""
        raise NotImplementedError
