"""Owns one child process from its parent's side: start, request, watch over time and memory, end."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from multiprocessing.spawn import get_executable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import numpy as np
import psutil

from patchcore.errors import ImageError, ImageTooLarge, UnreadableImage, WorkerLost
from patchcore.images.decoding.allowance import Allowance, too_late, too_much_memory, too_slow
from patchcore.images.decoding.shared_memory import DeclaredPixels, SharedBlock, unnamed_file
from patchcore.images.raw_image import Limits, RawImage

MODULE = "patchcore.images.decoding.child"
ROOT = Path(__file__).resolve().parents[3]
_LOOK = 0.05  # seconds between two looks at a busy child
_LEAVING = 2.0  # seconds for an idle child to end after the request
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# GNU's C library keeps freed memory, for pictures of a few megapixels; larger ones go back to the system.
_MEMORY_KEPT = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(16 << 20)}
_ERRORS = {error.__name__: error for error in (UnreadableImage, ImageTooLarge)}
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows, where Ctrl-C would reach it too


class Ended(Exception):
    """The child died while it decoded; not by its watch."""

    def __init__(self, exitcode: int) -> None:
        super().__init__(exitcode)
        self.exitcode = exitcode


@dataclass
class _Turn:
    """One file in the child's hands."""

    name: str
    file_bytes: int
    memory: int
    allowance: Allowance
    declared: DeclaredPixels
    began: float = field(default_factory=time.monotonic)
    used_before: float | None = None  # processor time of the child at the first look
    passed: ImageError | None = None  # the limit for which the child was ended

    def limit_passed(self, process: psutil.Process) -> ImageError | None:
        """Return the error on the first limit that this file has passed."""
        times, held = process.cpu_times(), process.memory_info().rss
        used = times.user + times.system
        self.used_before = used if self.used_before is None else self.used_before
        seconds = self.allowance.seconds_for(self.declared.count, self.file_bytes)
        if used - self.used_before > seconds:
            return too_slow(self.name, seconds)
        if held > self.memory + self.file_bytes:
            return too_much_memory(self.name, self.memory)
        if time.monotonic() - self.began > seconds * self.allowance.patience:
            return too_late(self.name, seconds * self.allowance.patience)
        return None


class WarmChild:
    """A process that decodes one file at a time, and stays for the next.

    Raises
    ------
    WorkerLost
        The process cannot be started.
    """

    def __init__(self) -> None:
        tag = f"patchcore-{os.getpid()}-{uuid.uuid4().hex}"
        self._block = SharedBlock(unnamed_file(tag), tag)
        self._declared = DeclaredPixels(unnamed_file(tag), tag)
        self._lock = Lock()  # between the end of a turn and the watch that ends the child
        self._turn: _Turn | None = None
        self._busy = Event()
        self._is_over = False
        try:
            self._popen = _start(tag, self._block.file, self._declared.file)
        except OSError as fault:
            self._give_up_memory()
            raise _not_started(fault) from fault
        try:
            pid = self._hear()["pid"]  # not always Popen's: Windows' venv starts Python through a launcher
            self._process = psutil.Process(pid)
        except (EOFError, psutil.Error) as fault:
            self._close()
            raise _not_started(fault) from fault
        Thread(target=self._watch, name="decoding-watch", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process' number."""
        return int(self._process.pid)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return not self._is_over and self._popen.poll() is None

    def decode(self, kind: str, data: bytes, name: str, limits: Limits, allowance: Allowance) -> RawImage:
        """Decode a file; a child that passes a limit, or whose caller is interrupted, is ended.

        Raises
        ------
        ImageError
            As `decoders.decode`, or a limit was passed.
        Ended
            The process died.
        """
        turn = _Turn(name, len(data), allowance.memory_for(limits), allowance, self._declared)
        try:
            answer = self._ask(turn, kind, data, limits)
            if answer.get("of_memory"):
                self.end()  # whatever holds the memory goes with it
                raise too_much_memory(name, turn.memory)
            if "error" in answer:
                raise _ERRORS[answer["error"]](name, answer["reason"])
            return self._picture(answer)
        except ImageError:
            raise
        except EOFError as fault:
            self.end()
            raise turn.passed or Ended(self._popen.wait()) from fault
        except BaseException:  # the answer to this file must not become the next one's
            self.end()
            raise
        finally:
            with self._lock:
                self._turn = None

    def _ask(self, turn: _Turn, kind: str, data: bytes, limits: Limits) -> dict[str, Any]:
        mapped = self._block.holding(len(data))
        mapped[: len(data)] = data
        seconds = turn.allowance.seconds_for(limits.max_pixels, len(data))
        request = {
            "kind": kind,
            "size": len(data),
            "capacity": self._block.capacity,
            "limits": [limits.max_pixels, limits.max_bytes],
            "seconds": seconds,
            "memory": turn.memory,
        }
        self._declared.count = 0
        self._turn = turn
        self._busy.set()
        self._say(request)
        return self._hear()

    def _picture(self, answer: dict[str, Any]) -> RawImage:
        """Copy samples and alpha out of the block, which the next file fills."""
        mapped = self._block.mapped(answer["capacity"])
        arrays = [
            np.ndarray(tuple(shape), np.dtype(dtype), mapped, start).copy()
            for start, dtype, shape in answer["arrays"]
        ]
        self._block.shrink()
        return RawImage(arrays[0], alpha=arrays[1] if len(arrays) > 1 else None, **answer["fields"])

    def _say(self, request: dict[str, Any]) -> None:
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(request).encode() + b"\n")
            self._popen.stdin.flush()
        except OSError as fault:
            raise EOFError(str(fault)) from fault

    def _hear(self) -> dict[str, Any]:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError(f"it ended with exit code {self._popen.wait()}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _watch(self) -> None:
        """End the child once its file has passed a limit; a thread of its own, as the caller waits for the answer."""
        while not self._is_over:
            self._busy.wait()
            self._busy.clear()
            while (turn := self._turn) is not None and turn.passed is None and not self._is_over:
                time.sleep(_LOOK)
                with contextlib.suppress(psutil.Error):  # it has ended
                    passed = turn.limit_passed(self._process)
                    with self._lock:
                        if passed is not None and self._turn is turn:
                            turn.passed = passed
                            self._process.kill()

    def end(self) -> None:
        """End the process at once."""
        self._is_over = True
        self._busy.set()
        with contextlib.suppress(psutil.Error):
            self._process.kill()
        self._close()

    def leave(self) -> None:
        """Let an idle process end by itself, and by force if it does not."""
        self._is_over = True
        self._busy.set()
        self._close()

    def _close(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):  # what was not sent cannot be sent any more
                pipe.close()  # type: ignore[union-attr]
        try:
            self._popen.wait(_LEAVING)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._give_up_memory()

    def _give_up_memory(self) -> None:
        self._block.close()
        self._declared.close()


def _not_started(fault: Exception) -> WorkerLost:
    return WorkerLost(
        f"The process that decodes image files cannot be started ({fault}). Close other programs, or check the "
        "installation."
    )


def _start(tag: str, *files: int) -> "subprocess.Popen[bytes]":
    """Start the module with the paths of this process; in another folder, `-m` would not find the package."""
    paths = dict.fromkeys(str(Path(entry).absolute()) for entry in [str(ROOT), *sys.path] if entry)
    return subprocess.Popen(
        [get_executable(), "-P", "-m", MODULE, str(os.getpid()), tag, *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**_MEMORY_KEPT, **os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
        pass_fds=[file for file in files if file >= 0],
        creationflags=_NO_WINDOW,
    )
