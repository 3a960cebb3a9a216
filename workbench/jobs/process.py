"""A job from the inside: its progress, its heartbeat and its end, in the process that does the work."""

from __future__ import annotations

import importlib
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import psutil

from patchcore.disk import work_notes
from patchcore.disk.faults import disk_fault, may_pass
from patchcore.errors import Cancelled, PatchCoreError
from workbench.jobs.arguments import check_arguments
from workbench.jobs.requests import STANDING, JobState, delete_scratch, get_job, scratch_path
from workbench.people.roles import Person, Role, acting
from workbench.storage.database import WorkspaceUnavailable
from workbench.storage.places import make_folder
from workbench.storage.processes import start_of
from workbench.storage.tables import Job
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

PULSE_SECONDS = 0.25  # between looks at the cancel flag, and between writes of the progress
HEARTBEAT_SECONDS = 2.0
PATIENCE_SECONDS = 1.0  # the work's time to notice a cancel, before the process ends itself
END_SECONDS, END_PAUSE_SECONDS = 3600.0, 5.0  # for which an end is tried to be recorded; between two tries
FAILED, MISTAKE = 1, 2  # exit codes: the user can mend the cause; the program is at fault


class Progress:
    """The progress of the work, and the time when the present stage will be done.

    The pace counts from this process's start of the stage, so that the work of an earlier process does not make
    a resumed stage look fast.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._first = 0
        self.stage, self.done, self.total = "", 0, 0
        self.finished: list[dict[str, Any]] = []

    def update(self, stage: str, done: int, total: int) -> None:
        """Note that `done` of `total` steps of a stage are done."""
        with self._lock:
            if stage != self.stage:
                self._close_stage()
                self.stage, self._began, self._first = stage, self._clock(), done
            self.done, self.total = done, total

    def snapshot(self) -> dict[str, Any]:
        """Return the columns of `Job` for the progress."""
        with self._lock:
            return {
                "stage": self.stage,
                "done": self.done,
                "total": self.total,
                "stages": list(self.finished),
                "eta_seconds": self._eta(),
            }

    def _close_stage(self) -> None:
        if self.stage:
            seconds = round(self._clock() - self._began, 2)
            self.finished.append({"name": self.stage, "total": self.total, "seconds": seconds})

    def _eta(self) -> float | None:
        advanced = self.done - self._first
        if advanced <= 0:
            return None
        return (self._clock() - self._began) / advanced * max(self.total - self.done, 0)


class RunningJob:
    """The context of a job's function: arguments, a scratch folder, progress and cancellation.

    Used with ``with``: while the block runs, a thread writes progress and heartbeat and watches for a cancel.

    Parameters
    ----------
    workspace, job_id
        The job must have been claimed by a queue: its state is running.
    attempt
        The claim that this process was started for; None: the latest. When somebody has declared this attempt
        ended, or has begun another, this process writes nothing more and stops.
    """

    def __init__(self, workspace: Workspace, job_id: int, attempt: int | None = None) -> None:
        job = get_job(workspace, job_id)
        self.workspace = workspace
        self.id = job_id
        self.kind = job.kind
        self.attempt = job.attempts if attempt is None else attempt
        self.arguments: dict[str, Any] = job.arguments
        self.person = Person(job.made_by, Role.ENGINEER)
        """The person it acts as: the one who submitted it and was allowed to."""
        self.scratch: Path = scratch_path(workspace, job_id)  # survives a crash, not the end
        self._progress = Progress()
        self._written: dict[str, Any] = {}
        self._beaten = 0.0
        self._cancelled_at: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pulse", daemon=True)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Report progress; calls may be frequent, the row is written at most four times a second."""
        if stage != self._progress.stage:
            say(f"{stage}, {total} steps")
        self._progress.update(stage, done, total)

    def cancelled(self) -> bool:
        """Whether the user asked to stop; cheap to ask."""
        return self._cancelled_at is not None

    def __enter__(self) -> RunningJob:
        """Write this process's number into the row, and start the heartbeat.

        Raises
        ------
        Cancelled
            When somebody has declared the attempt ended before this process could begin.
        """
        start = start_of(psutil.Process())
        own = {"pid": os.getpid(), "process_started": start.seconds, "process_boot": start.boot}
        if not self._write(**own, host=socket.gethostname()):
            raise Cancelled(f"Attempt {self.attempt} of job {self.id} is over.")
        make_folder(self.scratch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the pulse."""
        self._ended.set()
        self._thread.join()

    def finish(self, state: JobState, message: str = "", result: Mapping[str, Any] | None = None) -> None:
        """Record the end. A job that is done or cancelled no longer needs its checkpoints.

        A disk that is full or a database that is away is waited for: the end of long work must not be lost with it.
        """
        values = self._progress.snapshot() | {"eta_seconds": None, "message": message, "finished": now()}
        values |= {"state": state, "result": None if result is None else dict(result)}
        written = self._write_at_last(values)
        say(f"{state}. {message}".strip() if written else "This attempt has ended already.")
        if written and state in (JobState.DONE, JobState.CANCELLED):
            delete_scratch(self.workspace, self.id)

    def _watch(self) -> None:
        while not self._ended.wait(PULSE_SECONDS):
            try:
                self._beat()
            except WorkspaceUnavailable:  # a full disk or an absent server may recover; the work goes on
                traceback.print_exc()
            if self._cancelled_at and time.monotonic() - self._cancelled_at > PATIENCE_SECONDS:
                self.finish(JobState.CANCELLED)
                self.workspace.delete_leftovers(os.getpid())
                self.workspace.notes.close()
                os._exit(FAILED)  # the work does not listen, and a thread cannot stop it otherwise

    def _beat(self) -> None:
        if not self.cancelled():
            job = get_job(self.workspace, self.id)
            if job.cancel_requested is not None or not self._is_mine(job):
                self._cancelled_at = time.monotonic()
        present = self._progress.snapshot()
        if present != self._written or time.monotonic() - self._beaten > HEARTBEAT_SECONDS:
            self._write(**present)
            self._written, self._beaten = present, time.monotonic()

    def _write_at_last(self, values: Mapping[str, Any]) -> bool:
        until = time.monotonic() + END_SECONDS
        while True:
            try:
                return self._write(**values)
            except WorkspaceUnavailable as fault:
                if time.monotonic() > until:
                    raise
                say(f"The end cannot be recorded at present. {fault}")
                time.sleep(END_PAUSE_SECONDS)

    def _is_mine(self, job: Job) -> bool:
        """Whether the row still names this process's attempt."""
        return job.state == JobState.RUNNING and job.attempts == self.attempt

    def _write(self, **values: Any) -> bool:
        """Set columns of the job's row, unless somebody has declared it ended; return whether they were set."""
        with self.workspace.database.write() as session:
            job = session.get_one(Job, self.id)
            mine = self._is_mine(job)
            if mine:
                for name, value in (values | {"heartbeat": now()}).items():
                    setattr(job, name, value)
        return mine


def main(arguments: Sequence[str], kinds: Mapping[str, str]) -> int:
    """Do one job, named by ``WORKSPACE ID ATTEMPT``; its output goes to the job's log."""
    root, job_id, attempt = arguments
    with closing(Workspace(root)) as workspace:
        work_notes.use(workspace.notes)
        try:
            with RunningJob(workspace, int(job_id), int(attempt)) as job:
                say(f"Attempt {job.attempt} of job {job.id}, {job.kind}, in process {os.getpid()}.")
                return _run(job, kinds)
        except Cancelled as late:
            say(str(late))
            return FAILED


def say(sentence: str) -> None:
    """Write a line to the job's log, with the time."""
    sys.stdout.write(f"{now():%Y-%m-%d %H:%M:%S} UTC  {sentence}\n")
    sys.stdout.flush()


def leave(code: int) -> NoReturn:
    """End this process at once: everything is written, and unloading PyTorch would take another second or two."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(job: RunningJob, kinds: Mapping[str, str]) -> int:
    try:
        module, function = kinds[job.kind].split(":")
        check_arguments(job.kind, job.arguments)
        with acting(job.person):
            result = getattr(importlib.import_module(module), function)(job)
    except Cancelled:
        job.finish(JobState.CANCELLED)
    except WorkspaceUnavailable as error:
        traceback.print_exc()
        job.finish(_after_a_pause(job), str(error))
        return FAILED
    except PatchCoreError as error:
        traceback.print_exc()
        job.finish(JobState.FAILED, str(error))
        return FAILED
    except MemoryError:
        traceback.print_exc()
        job.finish(
            JobState.FAILED, "The memory of this computer does not suffice. Use fewer or smaller images."
        )
        return FAILED
    except OSError as error:
        traceback.print_exc()
        words = disk_fault(error, job.workspace.root)
        state = _after_a_pause(job) if may_pass(error, job.workspace.root) else JobState.FAILED
        job.finish(state, words or _program_failed(error))
        return MISTAKE if words is None else FAILED
    except Exception as error:  # the outermost frame of a process: the user must hear of every error
        traceback.print_exc()
        job.finish(JobState.FAILED, _program_failed(error))
        return MISTAKE
    else:
        job.finish(JobState.DONE, result=result)
    return 0


def _after_a_pause(job: RunningJob) -> JobState:
    """Return the state after a fault that may pass: the queue revives a standing job by itself, a person the others."""
    return JobState.INTERRUPTED if job.kind in STANDING else JobState.FAILED


def _program_failed(error: Exception) -> str:
    return f"The program failed ({type(error).__name__}: {error}). The log says where."
