"""Durable notes of the files in work: a file that keeps killing the process that reads it is recognised by them.

A process notes each file before it decodes or scores it, and takes the note away when the file has its result. The
note is with the system before the work begins, which outlives the process; a thread flushes it to the disk at once. The
note of a process that is gone names the file that this process was working on: that is a *death* of this file. A file
with `TRIES` deaths is refused (`refusal`), and the work goes on with the next file.

- Only a process that is gone with its note standing counts. An error that Python raises, Ctrl-C, Stop and an orderly
  end of the program take the note away first. The kernel's memory killer, a segmentation fault and `kill -9` do not.
- A power cut cannot be told from a death: it counts one for the file in work. Three power cuts, each during the same
  file and with no result in between, would set that file aside; `forget` has it tried again.
- A process that had several files in work leaves them as *suspects* without a death. A suspect is worked on alone in
  its process, so that its next death is its own.
- A result clears a file of its deaths in the same step. Deaths also count no more after `FORGOTTEN_AFTER`.

Files are known by the SHA-256 of their bytes: a corrected file under the same name is another file.

In the folder, `<process>.note` names the files in work of a process, `<process>.lock` is locked while it lives, and
`<sha256>-<step>.json` holds the deaths of a file. Where nothing can be written, the work goes on without notes.
"""

import json
import os
import re
import secrets
import socket
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import RLock, Thread
from typing import Literal

from patchcore.disk.files_in_work import IN_WORK
from patchcore.disk.in_use import delete_file
from patchcore.disk.whole_files import flush, whole_file

Step = Literal["read", "score"]
READ: Step = "read"
SCORE: Step = "score"

TRIES = 3  # deaths of a file until it is set aside
FORGOTTEN_AFTER = timedelta(days=30)
STOPPED = f"the program was stopped {TRIES} times while it worked on this file"
"""The beginning of every reason that `WorkNotes.refusal` gives."""

COUNT_SECONDS = 5.0  # wait for another process that counts deaths
ROOM = 4096  # bytes of a note at its start: a later, longer text then needs no room on a full disk
RECORD = re.compile(r"[0-9a-f]{64}-(read|score)\.json")
_flush_data = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True)
class Deaths:
    """The deaths of a file in one step of the work.

    Attributes
    ----------
    name
        The file as the user knew it, of the latest death.
    deaths
        Their number; 0 for a suspect.
    at
        Time of the latest, ISO 8601 with its zone.
    host, pid
        The process that died the latest.
    """

    name: str
    deaths: int
    at: str
    host: str
    pid: int

    @property
    def moment(self) -> datetime:
        """Time of the latest death."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class _File:
    """A file in work."""

    sha256: str
    name: str
    step: Step


class WorkNotes:
    """The notes in one folder, for all processes that work with it.

    Parameters
    ----------
    folder
        Made at the first note, for its owner alone.

    Attributes
    ----------
    has_refused
        Whether a file was refused since the start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = RLock()  # a signal's handler may come while a note is written
        self._own: _OwnNote | None = None
        self._files: list[_File] = []
        self._has_counted = self.has_refused = False

    # ---- the work

    @contextmanager
    def in_work(self, sha256: str, name: str, step: Step = READ) -> Iterator[None]:
        """Note a file for the length of a block, which ends with the file's result or with an error.

        A file that is noted already, as by the scoring that reads it, is not noted a second time.

        Parameters
        ----------
        sha256
            Hash of the file's bytes.
        name
            The file as the user knows it.
        step
            A result clears the file of the deaths of this step; a score clears it of all.
        """
        if IN_WORK.holds(sha256):
            yield
            return
        self._count_once()
        file = _File(sha256, name, step)
        with IN_WORK.on(sha256, alone=bool(self._deaths(sha256))):
            self._note(file)
            try:
                yield
            finally:
                self._take_away(file)
        for cleared in (READ, SCORE) if step == SCORE else (READ,):
            self._delete(sha256, cleared)

    def refusal(self, sha256: str) -> str:
        """Return why a file is not to be tried again, and what to do; "" where it may be tried, or is in work."""
        if IN_WORK.holds(sha256):
            return ""
        self._count_once()
        found = self._deaths(sha256)
        if sum(one.deaths for one in found) < TRIES:
            return ""
        self.has_refused = True
        latest = max(one.moment for one in found)
        return (
            f"{STOPPED}, the last time on {latest:%Y-%m-%d at %H:%M} UTC. The file is damaged, or this computer has "
            "too little memory for it. Save the file again from where it came, or delete it."
        )

    def suspects(self) -> dict[str, str]:
        """Return SHA-256 and name of each file that a process died on, or beside which it may have died."""
        self._count_once()
        return {path.name[:64]: found.name for path, found in self._all_deaths()}

    def forget(self, sha256: str) -> None:
        """Clear a file of its deaths, so that it is tried again."""
        for step in (READ, SCORE):
            self._delete(sha256, step)

    def forget_all(self) -> None:
        """Clear every file of its deaths."""
        for sha256 in self.suspects():
            self.forget(sha256)

    # ---- processes that are gone

    def count_deaths(self) -> None:
        """Count a death for each file whose process is gone, and drop the deaths that are too old."""
        self._sweep(self._count)
        with suppress(OSError):
            for path in self._records():
                if _read_deaths(path) is None:
                    delete_file(path)

    def explains(self, pid: int, host: str = "") -> bool:
        """Whether a file was in work in a process that is gone; its death is counted then."""
        self.count_deaths()
        process = (host or socket.gethostname(), pid)
        return any((one.host, one.pid) == process for _, one in self._all_deaths())

    def forgive(self, pid: int) -> None:
        """Drop the note of a process that was ended on purpose; no death is counted."""
        own = f"{_host()}-{pid}-"
        self._sweep(lambda note: note.name.startswith(own))

    def close(self) -> None:
        """Take the note of this process away, as at an orderly end."""
        with self._guard:
            own, self._own, self._files = self._own, None, []
            if own is not None:
                own.end()

    # ---- inside

    def _note(self, file: _File) -> None:
        with self._guard, suppress(OSError):  # work goes on without a note where none can be written
            self._files.append(file)
            if self._own is None or not self._own.is_ours():
                self._own = _OwnNote(self.folder)
            self._own.write(self._files)
            self._own.flush()

    def _take_away(self, file: _File) -> None:
        with self._guard, suppress(OSError, ValueError):  # ValueError: the notes were closed meanwhile
            self._files.remove(file)
            if self._own is not None:
                self._own.write(self._files)  # unflushed: a power cut brings the note back, at worst

    def _count_once(self) -> None:
        with self._guard:
            if not self._has_counted:
                self._has_counted = True
                self.count_deaths()

    def _sweep(self, take: Callable[[Path], bool]) -> None:
        """Offer every note whose process is gone to a function, and delete the notes that it takes."""
        if not self.folder.is_dir():
            return
        with suppress(OSError), _locked(self.folder / "counting.lock", COUNT_SECONDS) as may_count:
            for note in sorted(self.folder.glob("*.note")) if may_count else ():
                with _locked(note.with_suffix(".lock"), 0) as is_gone:
                    taken = is_gone and take(note)
                if taken:
                    delete_file(note)
                    delete_file(note.with_suffix(".lock"))

    def _count(self, note: Path) -> bool:
        """Count the deaths of a note; a file with others beside it becomes a suspect only."""
        host, pid, _ = note.stem.rsplit("-", 2)
        files = _read_files(note)
        for file in files:
            path = self._record(file.sha256, file.step)
            before = _read_deaths(path)
            deaths = (before.deaths if before else 0) + (len(files) == 1)
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            with whole_file(path) as part:
                part.write_text(
                    json.dumps(asdict(Deaths(file.name, deaths, moment, host, int(pid)))), encoding="utf-8"
                )
        return True

    def _record(self, sha256: str, step: Step) -> Path:
        return self.folder / f"{sha256}-{step}.json"

    def _records(self) -> list[Path]:
        return [path for path in self.folder.glob("*.json") if RECORD.fullmatch(path.name)]

    def _deaths(self, sha256: str) -> list[Deaths]:
        found = (_read_deaths(self._record(sha256, step)) for step in (READ, SCORE))
        return [one for one in found if one is not None]

    def _all_deaths(self) -> list[tuple[Path, Deaths]]:
        with suppress(OSError):
            found = [(path, _read_deaths(path)) for path in self._records()]
            return [(path, one) for path, one in found if one is not None]
        return []

    def _delete(self, sha256: str, step: Step) -> None:
        with suppress(OSError):
            delete_file(self._record(sha256, step))


class _OwnNote:
    """The note of this process: made with its lock, and taken away at an orderly end of the process."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock  # late: the command line's --help needs none

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}.note"
        lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        lock.acquire()
        self._pid = os.getpid()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        os.write(self._file, b" " * ROOM)
        self._unflushed = unflushed = SimpleQueue[bool]()
        Thread(
            target=_keep_flushing, args=(self._file, unflushed), name="notes of files in work", daemon=True
        ).start()

        def end(pid: int = self._pid, file: int = self._file) -> None:
            if os.getpid() == pid:  # a forked child ends without its parent's note
                unflushed.put(False)
                with suppress(OSError):
                    os.close(file)
                    delete_file(path)
                    lock.release()
                    delete_file(path.with_suffix(".lock"))

        self.end = weakref.finalize(self, end)  # also called at the end of the program
        flush(folder)

    def is_ours(self) -> bool:
        """Whether this process made the note, and not the process that it was forked from."""
        return self._pid == os.getpid()

    def write(self, files: Sequence[_File]) -> None:
        """Replace the text, a line; a longer line before it leaves its end behind, which nobody reads."""
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, json.dumps([asdict(file) for file in files]).encode() + b"\n")

    def flush(self) -> None:
        """Have the text flushed to the disk, meanwhile the work begins: a flush takes up to some ten milliseconds."""
        self._unflushed.put(True)


def _keep_flushing(file: int, unflushed: SimpleQueue[bool]) -> None:
    while unflushed.get():
        with suppress(Empty):
            while unflushed.get_nowait():
                pass  # one flush serves all
            return
        with suppress(OSError):  # the disk refuses, or the file was closed this moment
            _flush_data(file)


def _host() -> str:
    return socket.gethostname()


@contextmanager
def _locked(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a lock; False where another process keeps it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _read_files(note: Path) -> list[_File]:
    """Return the files of a note; none where the process ended before its first file."""
    try:
        plain = json.loads(note.read_bytes().partition(b"\n")[0])
        files = [_File(one["sha256"], one["name"], one["step"]) for one in plain]
    except (ValueError, TypeError, KeyError):
        return []
    return [file for file in files if RECORD.fullmatch(f"{file.sha256}-{file.step}.json")]


def _read_deaths(path: Path) -> Deaths | None:
    """Return what a file holds; None where there is none, where the deaths are too old, or where it is damaged."""
    try:
        found = Deaths(**json.loads(path.read_text(encoding="utf-8")))
        return found if datetime.now(UTC) - found.moment < FORGOTTEN_AFTER else None
    except (OSError, ValueError, TypeError):
        return None


_of_process: WorkNotes | None = None


def use(notes: WorkNotes | None) -> None:
    """Have every image that this process reads or scores noted; None: it notes only what it is asked to."""
    global _of_process  # noqa: PLW0603 - a process works for one workspace, or for the command line
    _of_process = notes


def of_process() -> WorkNotes | None:
    """Return the notes of `use`."""
    return _of_process
