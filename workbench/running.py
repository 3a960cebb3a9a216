"""The parts of a workspace that run for all sessions of one process: its database, its job queue and its scorer.

They live as long as the process, outside Streamlit's cache. Any browser may have that cache cleared, and the cache
releases its entries on the server's event loop, where waiting for a thread stops everybody.
"""

import gc
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from patchcore.disk import work_notes
from workbench.inspections.background_scorer import Scorer
from workbench.jobs.queue import JobQueue, stated_capacity
from workbench.storage.clock import follow_clock
from workbench.storage.workspace import Workspace
from workbench.upkeep.retention import submit_if_due
from workbench.uploads import pending
from workbench.uploads.drafts import sweep_drafts

# Objects made between two looks for garbage, and looks between two over older objects. A page of 2,000 images makes
# 10^5 that stay until it is drawn; at Python's own 700, looking at these and at PyTorch's took up to half of a run.
COLLECTIONS = (20_000, 10, 10)
MANY_MODULES = (
    100  # pandas and PyTorch, which come with the first page that needs them, are several times as many
)


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
        Scores batches in turns, in a thread of its own once it is asked to.
    """

    workspace: Workspace
    queue: JobQueue = field(init=False)
    scorer: Scorer = field(init=False)

    def __post_init__(self) -> None:
        """Start both queues; what an ended server has left is continued, apart from files that it keeps dying on."""
        work_notes.use(self.workspace.notes)
        self.queue = JobQueue(self.workspace, capacity=stated_capacity(), housekeeping=_keep_house).start()
        self.scorer = Scorer(self.workspace).resume()

    def stop(self) -> None:
        """End both threads after their present work, and wait for them; running jobs go on."""
        self.queue.stop()
        self.scorer.stop()


def _keep_house(workspace: Workspace) -> None:
    follow_clock(workspace)
    sweep_drafts(workspace)
    pending.sweep(workspace)
    submit_if_due(workspace)


def _pass_over_modules() -> None:
    """Have no later look for garbage pass through what is there now, if many modules have come since the last call.

    Streamlit looks through all objects after each run of a page. That took 0.2 s, more than most pages take to draw,
    and nearly all of it among modules, which stay.
    """
    if len(sys.modules) - _passed_over["modules"] > MANY_MODULES:
        _passed_over["modules"] = len(sys.modules)
        gc.freeze()


_passed_over = {"modules": 0}
_of_root: dict[str, Running] = {}
_lock = Lock()


def running(root: Path) -> Running:
    """Return the running parts of the workspace in a folder, started at the first call.

    Raises
    ------
    SettingsError, WorkspaceError
        When the stated number of jobs is none, or the workspace cannot be opened or is not there any more.
    """
    with _lock:
        if not _of_root:
            gc.set_threshold(*COLLECTIONS)
        _pass_over_modules()
        if str(root) not in _of_root:
            _of_root[str(root)] = Running(Workspace(str(root)))
        found = _of_root[str(root)]
    found.workspace.require_there()
    return found


def stop_all() -> None:
    """Stop the running parts of every workspace, for a program that ends before its process does."""
    with _lock:
        stopping = list(_of_root.values())
        _of_root.clear()
    for one in stopping:
        one.stop()
