"""Faults from outside: a disk that is full, a database that another program locks, jobs that are killed."""

import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from workbench.storage.workspace import DATABASE_FILE

ROOM_MEGABYTES = 700
PIECE = 1 << 20
NO_ROOM = "A full disk needs a file system of its own. Run it as root, or: unshare -rm python -m tests.survival.crowd"
JOB = "run-job"  # stands in the command line of a job's process


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of its own, in memory, so that its disk can be full."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MEGABYTES}m", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        raise SystemExit(NO_ROOM)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@dataclass
class Faults:
    """Brings faults about, one after another, and counts them.

    Attributes
    ----------
    place
        The file system of the workspace.
    workspace
        The workspace's folder.
    """

    place: Path
    workspace: Path
    counts: dict[str, int] = field(
        default_factory=lambda: {"disk full": 0, "database locked": 0, "job killed": 0}
    )

    def fill_disk(self, seconds: float, over: threading.Event) -> None:
        """Fill the disk for so long."""
        self.counts["disk full"] += 1
        ballast = self.place / "ballast"
        try:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(PIECE)):
                    continue
            with suppress(OSError), ballast.open("ab", buffering=0) as file:
                while file.write(bytes(512)):
                    continue
            over.wait(seconds)
        finally:
            ballast.unlink(missing_ok=True)

    def lock_database(self, seconds: float, over: threading.Event) -> None:
        """Keep everybody else from writing to the database for so long."""
        place = self.workspace / DATABASE_FILE
        with (
            suppress(sqlite3.OperationalError),  # somebody else holds it
            closing(sqlite3.connect(place, timeout=60, isolation_level=None)) as connection,
        ):
            connection.execute("BEGIN EXCLUSIVE")
            self.counts["database locked"] += 1
            over.wait(seconds)
            connection.execute("ROLLBACK")

    def kill_jobs(self, _seconds: float = 0, _over: threading.Event | None = None) -> None:
        """Kill every job of the workspace that runs."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if JOB in words and str(self.workspace) in words:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
                    self.counts["job killed"] += 1

    def bring(self, until: threading.Event, rest: float = 9.0) -> None:
        """Bring one fault after another until `until` is set; the disk is free and the database open then."""
        turns = (
            (self.fill_disk, 12.0),
            (self.kill_jobs, 0.0),
            (self.lock_database, 10.0),
            (self.kill_jobs, 0.0),
            (self.lock_database, 40.0),  # longer than anybody waits for it
        )
        while not until.is_set():
            for fault, seconds in turns:
                if until.wait(rest):
                    return
                fault(seconds, until)
