"""The process that reads is watched from outside: an input may take ten seconds of processor time and two gigabytes."""

import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lab import ROOT

MOST_SECONDS = 10.0  # of processor time for an input
MOST_WAIT = 300.0  # seconds by the clock: other programs may have the processors
MOST_MEGABYTES = 2_048  # beyond those that the process held before
MOST_HELD = 3_000  # megabytes; a process that keeps more between inputs is replaced
STARTING = 300.0  # seconds by the clock in which an input is made, libraries are loaded in the first one
GLANCE = 0.1  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of an input: "refused", "accepted", "crash", "hang" or "large"."""

    outcome: str
    said: str
    seconds: float  # of processor time
    megabytes: int


class Reader:
    """A process that reads inputs, which is started again where an input ended it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._seed, self._folder = seed, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    @property
    def input(self) -> bytes:
        """The last input that was made."""
        return (self._folder / "input").read_bytes()

    def read(self, kind: str, number: int) -> Outcome:
        """Have an input made and read."""
        process = self._started()
        assert process.stdin is not None
        process.stdin.write(f"{kind} {number}\n".encode())
        process.stdin.flush()
        made, fault = self._answer(STARTING, None)
        if made is None:
            return Outcome("crash", f"the input was not made: {fault}", 0.0, 0)
        began = self._processor_seconds()
        found, fault = self._answer(MOST_WAIT, began)
        seconds = self._processor_seconds() - began
        if found is None:
            self.stop()
            kind_of = "hang" if "seconds" in fault else "large" if "megabytes" in fault else "crash"
            return Outcome(kind_of, fault, seconds, 0)
        if found["held"] > MOST_HELD:
            self.stop()
        if found["megabytes"] > MOST_MEGABYTES and found["outcome"] != "crash":
            return Outcome(
                "large", f"{found['megabytes']:,} megabytes; {found['said']}", seconds, found["megabytes"]
            )
        return Outcome(found["outcome"], found["said"], seconds, found["megabytes"])

    def stop(self) -> None:
        """End the process and its children."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self._process.pid)
            for one in [*own.children(recursive=True), own]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        self._process.wait()
        self._process = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "lab.fuzzing.reader", str(self._seed), str(self._folder)]
            own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PATCHCORE_DATABASE_URL": ""}
            self._unread = b""
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **own}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=(self._folder / "said").open("w", encoding="utf-8"), bufsize=0,
            )  # fmt: skip
        return self._process

    def _answer(self, patience: float, began: float | None) -> tuple[dict[str, Any] | None, str]:
        """Wait for a line: (its values, ""), or (None, the fault)."""
        process = self._process
        assert process is not None and process.stdout is not None
        deadline, megabytes = time.monotonic() + patience, self._megabytes()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if waiting.select(GLANCE):
                    piece = os.read(process.stdout.fileno(), 1 << 16)
                    self._unread += piece
                    if piece:
                        continue
                    break
                if time.monotonic() > deadline:
                    return None, f"over {patience:.0f} seconds by the clock"
                if began is not None and self._processor_seconds() - began > MOST_SECONDS:
                    return None, f"over {MOST_SECONDS:.0f} seconds of processor time"
                if began is not None and self._megabytes() - megabytes > 2 * MOST_MEGABYTES:
                    return None, f"over {2 * MOST_MEGABYTES:,} megabytes"
        line, _, self._unread = self._unread.partition(b"\n")
        if line:
            return dict(json.loads(line)), ""
        said = (self._folder / "said").read_text(encoding="utf-8", errors="replace")
        return None, f"the process ended with {process.wait()}: {' '.join(said.split())[-300:]}"

    def _tree(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        return []

    def _processor_seconds(self) -> float:
        found = 0.0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                found += times.user + times.system
        return found

    def _megabytes(self) -> int:
        found = 0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found += process.memory_info().rss >> 20
        return found
