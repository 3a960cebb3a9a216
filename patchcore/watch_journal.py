"""The journal of a watched folder: which files have their verdict, so that none is given twice.

A verdict is kept first, durably, and only then told to others; `finish` notes that it was. What a crash left between
the two is `unfinished` and completed at the next start.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from filelock import FileLock, Timeout

from patchcore.errors import NotKept, SettingsError
from patchcore.watch_verdict import Given, Judged
from patchcore.watching import FileKey

LOCK_SECONDS = 1.0  # the system may take a moment to open the lock of a process that was killed
LONG = 200_000  # lines, from which on a journal is begun anew when it is opened


class Journal(Protocol):
    """Keeps verdicts on the files of one folder."""

    def seen(self, key: FileKey) -> bool:
        """Whether a file in this state has its verdict."""

    def record(self, judged: Judged) -> None:
        """Keep a verdict; when this returns, a power failure takes it no more.

        Raises
        ------
        NotKept
            When it cannot be kept at present, as with a full disk; nothing of it is kept then.
        Outdated
            When it must be given anew; nothing of it is kept then either.
        """

    def unfinished(self) -> list[Given]:
        """Return the verdicts that may not have been told, in the order they were given."""

    def finish(self, key: FileKey) -> None:
        """Note that a verdict was told; errors as for `record`."""

    def close(self) -> None:
        """Let go of it."""


class FileJournal:
    """A journal as a file of JSON lines, used by one process at a time.

    Parameters
    ----------
    path
        The file; made when absent. A last line that was cut off counts as not written.
    folder
        The folder it is about.
    say
        Told of lines that cannot be read.

    Raises
    ------
    SettingsError
        When another process uses it, or it is about another folder.
    NotKept
        When it cannot be written.
    """

    def __init__(self, path: Path, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.path, self.folder = path, folder.resolve()
        self._seen: set[FileKey] = set()
        self._unfinished: dict[FileKey, Given] = {}
        self._of = str(self.folder)  # the folder that the file says it is about
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path)
            self._file: BinaryIO = path.open("ab+", buffering=0)
            lines = self._read(say)
            self._require_folder()
            if lines > LONG:
                self._begin_anew()
            elif lines == 0:
                self._append(self._header())
                _flush_folder(path.parent)
        except OSError as fault:
            raise self._not_kept(fault) from fault

    def seen(self, key: FileKey) -> bool:
        """Whether a file in this state has its verdict."""
        return key in self._seen

    def record(self, judged: Judged) -> None:
        """Keep a verdict."""
        self._write({"verdict": judged.given.to_dict()})
        self._seen.add(judged.given.key)
        self._unfinished[judged.given.key] = judged.given

    def unfinished(self) -> list[Given]:
        """Return the verdicts that may not have been told."""
        return list(self._unfinished.values())

    def finish(self, key: FileKey) -> None:
        """Note that a verdict was told."""
        self._write({"finished": list(key)}, flush=False)  # lost in a power failure, it is only done again
        self._unfinished.pop(key, None)

    def close(self) -> None:
        """Let others use the file."""
        self._file.close()
        self._lock.release()

    def _write(self, line: dict[str, Any], *, flush: bool = True) -> None:
        try:
            self._append(line, flush=flush)
        except OSError as fault:
            raise self._not_kept(fault) from fault

    def _append(self, line: dict[str, Any], *, flush: bool = True) -> None:
        """Add a whole line, or nothing."""
        end = self._file.seek(0, os.SEEK_END)
        rest = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if flush:
                os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise

    def _read(self, say: Callable[[str], None]) -> int:
        """Take in what is there, cut off half a line at the end, and return how many lines there are."""
        number = whole = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    self._file.truncate(whole)
                    return number - 1
                whole += len(line)
                try:
                    self._take_in(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    say(f"{self.path}, line {number}, cannot be read; what it says is not known.")
        return number

    def _take_in(self, line: dict[str, Any]) -> None:
        if "folder" in line:
            self._of = str(line["folder"])
        elif "verdict" in line:
            given = Given.from_dict(line["verdict"])
            self._seen.add(given.key)
            self._unfinished[given.key] = given
        elif "finished" in line:
            path, size, mtime_ns = line["finished"]
            key = FileKey(str(path), int(size), int(mtime_ns))
            self._seen.add(key)
            self._unfinished.pop(key, None)

    def _require_folder(self) -> None:
        if self._of != str(self.folder):
            self.close()
            raise SettingsError(
                f"{self.path} is the journal of {self._of}, not of {self.folder}. Name another with --journal."
            )

    def _begin_anew(self) -> None:
        """Put a long journal aside, whole, and go on with what concerns files that are still in the folder."""
        if not self.folder.is_dir():
            return  # the share is away: nothing can be said about its files
        self._seen = {
            key for key in self._seen if key in self._unfinished or (self.folder / key.path).exists()
        }
        lines = [self._header()]
        lines += [{"finished": list(key)} for key in self._seen - self._unfinished.keys()]
        lines += [{"verdict": given.to_dict()} for given in self._unfinished.values()]
        fresh = self.path.with_name(self.path.name + ".new")
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        with fresh.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        aside = self.path.with_name(f"{self.path.stem}-until-{datetime.now(UTC):%Y%m%dT%H%M%S}.jsonl")
        shutil.copyfile(self.path, aside)
        self._file.close()
        fresh.replace(self.path)
        _flush_folder(self.path.parent)
        self._file = self.path.open("ab+", buffering=0)

    def _header(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "began": datetime.now(UTC).isoformat(timespec="seconds")}

    def _not_kept(self, fault: OSError) -> NotKept:
        return NotKept(
            f"{self.path} cannot be written ({fault.strerror or fault}). No image is scored until it can be."
        )


def _locked(path: Path) -> FileLock:
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise SettingsError(
            f"Another process watches with {path}. End it first, or name another journal with --journal."
        ) from None
    return lock


def _flush_folder(folder: Path) -> None:
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
