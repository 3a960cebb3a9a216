"""What one process keeps running for all sessions of a workspace: its database, its job queue and its scorer.

It lives as long as the process, outside Streamlit's cache: any browser may have that cache cleared, and whatever the
cache releases is released on the server's event loop, where waiting for a thread stops everybody.
"""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from workbench.inspections.background_scorer import Scorer
from workbench.jobs.queue import JobQueue, stated_capacity
from workbench.storage.workspace import Workspace
from workbench.upkeep.retention import submit_if_due


@dataclass
class Running:
    """The parts of one workspace.

    Attributes
    ----------
    workspace
        With its connections to the database.
    queue
        Starts waiting jobs, in a thread of its own.
    scorer
        Scores batches that pages have opened, in a thread of its own once it is asked to.
    """

    workspace: Workspace
    queue: JobQueue = field(init=False)
    scorer: Scorer = field(init=False)

    def __post_init__(self) -> None:
        """Start the queue."""
        self.queue = JobQueue(self.workspace, capacity=stated_capacity(), housekeeping=submit_if_due).start()
        self.scorer = Scorer(self.workspace)

    def stop(self) -> None:
        """End both threads after what they have in hand, and wait for it; running jobs go on."""
        self.queue.stop()
        self.scorer.stop()


_of_root: dict[str, Running] = {}
_lock = Lock()


def running(root: Path) -> Running:
    """Return what runs for the workspace in a folder, started at the first call.

    Raises
    ------
    SettingsError, WorkspaceError
        When the stated number of jobs is none, or the workspace cannot be opened.
    """
    with _lock:
        if str(root) not in _of_root:
            _of_root[str(root)] = Running(Workspace(str(root)))
        return _of_root[str(root)]


def stop_all() -> None:
    """Stop what runs for every workspace, for a program that ends before its process does."""
    with _lock:
        stopping = list(_of_root.values())
        _of_root.clear()
    for one in stopping:
        one.stop()
