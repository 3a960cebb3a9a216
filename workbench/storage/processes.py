"""Processes: their identity, whatever becomes of the clock, and the temporary files that they leave.

A number alone may be another process by now, so the start of a process is kept with it. Linux counts that start from
the boot, and the boot's name goes with it: a start by the time of day would move whenever the clock is set.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from workbench.storage.database import WorkspaceError

if TYPE_CHECKING:
    from workbench.storage.workspace import Workspace

OLD_SECONDS = (
    600.0  # until then a process on another computer, whose number means nothing here, may be writing it
)
BOOT = Path("/proc/sys/kernel/random/boot_id")
START = 19  # place of the start among the words of /proc/PID/stat that follow the name
SAME_SECONDS, SAME_TIME_OF_DAY = 0.005, 2.0  # differences of one start: a tick is twice the first


class Start(NamedTuple):
    """The start of a process.

    Attributes
    ----------
    seconds
        From the boot, or from 1970 where the system does not count from the boot.
    boot
        Names the boot; None where `seconds` count from 1970.
    """

    seconds: float
    boot: str | None

    @property
    def tolerance(self) -> float:
        """Seconds by which one start may be told apart."""
        return SAME_TIME_OF_DAY if self.boot is None else SAME_SECONDS

    def is_same(self, other: Start) -> bool:
        """Whether both are the start of one process, if both have its number."""
        return self.boot == other.boot and abs(self.seconds - other.seconds) < self.tolerance

    @property
    def mark(self) -> str:
        """Eight letters and digits for the name of a file."""
        return hashlib.sha256(f"{self.seconds:.2f} {self.boot}".encode()).hexdigest()[:8]


def start_of(process: psutil.Process, *, by_boot: bool = True) -> Start:
    """Return the start of a process.

    Parameters
    ----------
    by_boot
        Whether to count from the boot where the system does so; a program of before counted from 1970.

    Raises
    ------
    psutil.NoSuchProcess
        It has ended.
    """
    boot = _boot() if by_boot else None
    if boot is None:
        return Start(process.create_time(), None)
    try:
        words = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(process.pid) from error
    return Start(int(words[START]) / os.sysconf("SC_CLK_TCK"), boot)


def find(pid: int, start: Start) -> psutil.Process | None:
    """Return a process of this computer by number and start; None once it is gone, even if another has its number."""
    try:
        process = psutil.Process(pid)
        is_it = start_of(process, by_boot=start.boot is not None).is_same(start)
        return process if is_it and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def temporary_name(rest: str) -> str:
    """Return a name for a file of this process that is being written, which no other file has."""
    return f"{os.getpid()}-{_own_mark(os.getpid())}.{os.urandom(6).hex()}-{rest}"


def is_being_written(path: Path) -> bool:
    """Whether the process in a temporary file's name lives, and is not a later process of the same number."""
    number, _, rest = path.name.partition("-")
    mark, has_mark, _ = rest.partition("-")[0].partition(".")
    if not number.isdecimal():
        return False
    try:
        process = psutil.Process(int(number))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if has_mark:
            return start_of(process).mark == mark
        began: float = process.create_time()
        return began < path.stat().st_mtime + 1  # a name of a program of before
    except (psutil.NoSuchProcess, OverflowError):
        return False
    except FileNotFoundError:
        return True  # it was finished this moment


def delete_leftovers(workspace: Workspace, age: float = OLD_SECONDS) -> None:
    """Delete temporary files of ended processes that are older than `age` seconds."""
    for path in list((workspace.root / "temporary").iterdir()):
        try:
            old = time.time() - path.stat().st_mtime >= age
        except FileNotFoundError:
            continue  # its writer has just renamed it
        if old and not is_being_written(path):
            with suppress(WorkspaceError):  # a link: nothing of ours
                workspace.delete(path, "temporary")


@cache
def _boot() -> str | None:
    """Return the name of this boot; None where the system has none."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return None


@cache
def _own_mark(pid: int) -> str:
    """Return the mark of this process; a fork has another number."""
    return start_of(psutil.Process(pid)).mark
