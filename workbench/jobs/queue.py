"""The queue: starts waiting jobs in order, watches their processes, ends cancelled ones."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import func, select

from patchcore.errors import SettingsError
from workbench.jobs.elapsed import Unchanged
from workbench.jobs.requests import STANDING, JobState, delete_scratch, log_path
from workbench.storage.database import WorkspaceUnavailable
from workbench.storage.places import make_folder
from workbench.storage.processes import Start, delete_leftovers, find
from workbench.storage.tables import Job, Scoring
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

COMMAND = (sys.executable, "-m", "workbench", "run-job")
PROJECT = Path(__file__).resolve().parents[2]
STEP_SECONDS = 0.25
HOUSEKEEPING_SECONDS = 600.0  # between submissions of the daily jobs
SILENCE = timedelta(seconds=60)  # silence after which a process on another computer counts as dead
SILENCE_AT_START = timedelta(
    seconds=15
)  # silence of the starting queue, before a process has reported its number
BEAT = timedelta(seconds=2)  # between two reports of the starting queue
TERMINATE_AFTER = timedelta(seconds=1.1)  # after a cancel; the job ends itself earlier if it can
KILL_AFTER = timedelta(seconds=1.4)
REVIVE_AFTER = timedelta(seconds=1)  # after the end of a standing job's process
REVIVE_SHORT_LIVED = timedelta(seconds=5)  # a shorter run than this: the job may die again at once
REVIVALS = (
    40  # of a job whose process dies on files: three deaths of each of a dozen; else the cause is the machine
)
INTERRUPTED = (
    "Its process ended before the work was done (a restart, or too little memory). It can be resumed."
)

LOG_ENCODING = "utf-8:backslashreplace"  # of a job's log, whatever the system's own encoding is
APART = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Windows' flags for a process that neither Ctrl-C at the dashboard nor the end of its console reaches; else 0."""

log = logging.getLogger(__name__)


def stated_capacity() -> int:
    """Return how many jobs a dashboard runs at once: ``PATCHCORE_JOBS``, else one.

    Raises
    ------
    SettingsError
        When it is not a whole number of at least 1.
    """
    said = os.environ.get("PATCHCORE_JOBS", "1").strip()
    if not (said.isascii() and said.isdigit() and int(said) >= 1):
        raise SettingsError(
            f"PATCHCORE_JOBS is {said!r}, and must be how many jobs run at once: 1, or more where the memory suffices."
        )
    return int(said)


class JobQueue:
    """Keeps at most `capacity` jobs of a workspace running, each a child process of this one.

    Standing jobs (`requests.STANDING`) have their own capacity.

    Several queues may serve one workspace: a job is claimed in the database before it starts. Jobs outlive
    the queue that started them; the next queue finds them by process id and start. How long something has waited or
    been silent, each queue measures itself: the times in the rows are by clocks that may be set meanwhile.

    Parameters
    ----------
    capacity
        How many jobs run at once.
    command
        The command for a job; the workspace's folder, the job's id and the number of the attempt are appended.
    housekeeping
        Called with the workspace when the queue starts and every ten minutes: it submits the daily jobs.
    clock
        Seconds that only go forward.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        capacity: int = 1,
        command: Sequence[str] = COMMAND,
        housekeeping: Callable[[Workspace], object] = lambda workspace: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workspace = workspace
        self.capacity = capacity
        self.command = tuple(command)
        self._housekeeping = housekeeping
        self._unchanged = Unchanged(clock)
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> JobQueue:
        """Run the queue in a background thread until `stop`; return the queue."""
        self._stopped.clear()
        delete_leftovers(self.workspace)
        self._thread = threading.Thread(target=self._keep_stepping, name="job queue", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the background thread; running jobs go on."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def step(self) -> None:
        """Do one round: reap ended processes, mark interrupted jobs, end cancelled ones, start waiting ones."""
        for job_id, child in list(self._children.items()):
            if child.poll() is not None:  # `poll` also reaps
                del self._children[job_id]
                self._close(job_id, child.pid)
        for job in self._running():
            if job.id not in self._children and not self._is_alive(job):
                self._close(job.id, job.pid)
            elif job.cancel_requested is not None:
                _press(self._process(job), self._unchanged.time(job.id, "cancel", job.cancel_requested))
            elif job.pid is None and job.id in self._children:
                self._vouch(job)
        self._revive()
        claimed = self._claim()
        while claimed is not None:
            self._launch(*claimed)
            claimed = self._claim()

    def _keep_stepping(self) -> None:
        looked, trouble = float("-inf"), ""
        while not self._stopped.wait(STEP_SECONDS):
            try:
                if time.monotonic() - looked >= HOUSEKEEPING_SECONDS:
                    looked = time.monotonic()
                    self._housekeeping(self.workspace)
                self.step()
                trouble = ""
            except (WorkspaceUnavailable, OSError, psutil.Error) as fault:
                # A lack of disk, memory or server may pass; four traces a second would themselves fill the disk.
                if trouble != (trouble := str(fault)):
                    log.exception("The job queue could not do its work; it will try again.")

    def _running(self) -> list[Job]:
        with self.workspace.database.read() as session:
            return list(session.scalars(select(Job).where(Job.state == JobState.RUNNING)))

    def _process(self, job: Job) -> psutil.Process | None:
        child = self._children.get(job.id)
        if child is None:
            return find_process(job)
        with suppress(psutil.NoSuchProcess):  # Windows keeps no number of an ended process
            return psutil.Process(child.pid)
        return None

    def _vouch(self, job: Job) -> None:
        """Report that a process is still starting, so that no other queue takes it for dead."""
        if job.heartbeat is not None and self._unchanged.time(job.id, "beat", job.heartbeat) < BEAT:
            return
        with self.workspace.database.write() as session:
            row = session.get_one(Job, job.id)
            if row.state == JobState.RUNNING and row.pid is None:
                row.heartbeat = now()

    def _close(self, job_id: int, pid: int | None) -> None:
        """Record the end of a job whose process is gone, unless the process did so in its last moment."""
        self._unchanged.forget(job_id)
        is_explained = False
        if pid is not None:
            _reap(pid)
            self.workspace.delete_leftovers(pid)
            is_explained = self._is_explained(job_id, pid)
        with self.workspace.database.write() as session:
            job = session.get_one(Job, job_id)
            if job.state == JobState.RUNNING and job.pid in (pid, None):
                job.finished, job.eta_seconds, job.message = now(), None, ""
                if job.cancel_requested is not None:
                    job.state = JobState.CANCELLED
                elif is_explained and job.attempts <= REVIVALS:
                    job.state = JobState.QUEUED
                else:
                    job.state, job.message = JobState.INTERRUPTED, INTERRUPTED
        if job.state in (JobState.CANCELLED, JobState.DONE):
            delete_scratch(self.workspace, job_id)  # its process may have died just before recording the end

    def _is_explained(self, job_id: int, pid: int) -> bool:
        """Whether a job's process died on a file: that file is set aside after three deaths, so the job goes on."""
        with self.workspace.database.read() as session:
            job = session.get_one(Job, job_id)
        if job.cancel_requested is not None:
            self.workspace.notes.forgive(pid)
            return False
        return job.state == JobState.RUNNING and self.workspace.notes.explains(pid, job.host or "")

    def _revive(self) -> None:
        """Queue standing jobs again after their process died; a job that dies at once waits for a pause first."""
        dead = select(Job).where(Job.state == JobState.INTERRUPTED, Job.kind.in_(STANDING))
        with self.workspace.database.read() as session:  # the common case writes nothing
            due = [self._is_due(job) for job in session.scalars(dead)]  # the wait of each begins
        if not any(due):
            return
        with self.workspace.database.write() as session:
            for job in session.scalars(dead):
                if self._is_due(job):
                    job.state, job.message = JobState.QUEUED, ""

    def _is_alive(self, job: Job) -> bool:
        """Whether a job marked as running still lives; by its heartbeat if it runs on another computer."""
        if job.pid is not None and job.host == socket.gethostname():
            return find_process(job) is not None
        if job.heartbeat is None:
            return False
        silence = SILENCE_AT_START if job.pid is None else SILENCE
        return self._unchanged.time(job.id, "beat", job.heartbeat) < silence

    def _is_due(self, job: Job) -> bool:
        """Whether an interrupted standing job has waited long enough."""
        waited = self._unchanged.time(job.id, "end", (job.attempts, job.finished))
        if job.finished is None or job.started is None:
            return True
        short_lived = job.finished - job.started < REVIVE_SHORT_LIVED
        return waited > (REVIVE_SHORT_LIVED if short_lived else REVIVE_AFTER)

    def _claim(self) -> tuple[int, int] | None:
        """Mark the first waiting job that finds room as running, and return its id and attempt."""
        waiting = select(Job).where(Job.state == JobState.QUEUED).order_by(Job.id)
        with self.workspace.database.read() as session:  # the common case writes nothing
            if session.scalar(waiting.limit(1)) is None:
                return None
        with self.workspace.database.write() as session:
            by_kind = select(Job.kind, func.count()).where(Job.state == JobState.RUNNING).group_by(Job.kind)
            running = Counter({kind: count for kind, count in session.execute(by_kind)})  # noqa: C416
            job = next((job for job in session.scalars(waiting) if self._has_room(job.kind, running)), None)
            if job is None:
                return None
            job.state, job.message, job.host, job.pid = JobState.RUNNING, "", socket.gethostname(), None
            job.started = job.heartbeat = now()
            job.attempts += 1
            return job.id, job.attempts

    def _has_room(self, kind: str, running: Counter[str]) -> bool:
        if kind in STANDING:
            return running[kind] < STANDING[kind]
        return sum(count for other, count in running.items() if other not in STANDING) < self.capacity

    def _launch(self, job_id: int, attempt: int) -> None:
        path = log_path(self.workspace, job_id)
        try:
            make_folder(path.parent)
            with path.open("ab") as output:
                self._children[job_id] = subprocess.Popen(
                    [*self.command, str(self.workspace.root), str(job_id), str(attempt)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=PROJECT,
                    env={**os.environ, "PYTHONIOENCODING": LOG_ENCODING},
                    start_new_session=True,  # Ctrl-C at the dashboard ends the dashboard, not the work
                    creationflags=APART,
                )
        except OSError:
            self._close(job_id, None)
            raise


def find_process(job: Job | Scoring) -> psutil.Process | None:
    """Return the process of a job or a batch on this computer; None once it is gone, even if another has its number."""
    if job.pid is None or job.process_started is None or job.host != socket.gethostname():
        return None
    return find(job.pid, Start(job.process_started, job.process_boot))


def _reap(pid: int) -> None:
    """Reap a dead child process: after its queue was replaced, nobody else would."""
    if os.name != "nt":
        with suppress(ChildProcessError):  # not our child, or reaped already
            os.waitpid(pid, os.WNOHANG)


def _press(process: psutil.Process | None, waited: timedelta) -> None:
    """End a cancelled job that has not ended itself; first by request, then by force."""
    with suppress(psutil.NoSuchProcess):  # it may end meanwhile
        if process is not None and waited > KILL_AFTER:
            process.kill()
        elif process is not None and waited > TERMINATE_AFTER:
            process.terminate()
