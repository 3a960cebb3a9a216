"""A job from the inside: its progress, its heartbeat and its end, in the process that does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.workspace import Workspace


class RunningJob:
    """What a job's function is given: arguments, a scratch folder, and where to say how far it is."""

    workspace: Workspace
    id: int
    arguments: dict[str, Any]
    scratch: Path  # survives a crash; deleted when the job is done, cancelled or discarded

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say how far the work is; as often as wanted, it is written at most four times a second."""
        raise NotImplementedError

    def cancelled(self) -> bool:
        """Whether the user asked to stop; costs nothing to ask."""
        raise NotImplementedError
