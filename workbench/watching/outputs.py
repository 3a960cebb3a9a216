"""What is done with a file of a watched folder that has its verdict: it is moved, and a line of JSON is written.

Each output can be completed after a crash without being made twice: a move whose file is gone is done already, and a
line that is in its file already is not written again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

from patchcore.errors import NotKept, PatchCoreError, SettingsError
from patchcore.images.file_names import is_private
from patchcore.thresholds.operating_point import Verdict
from patchcore.whole_files import flush
from workbench.watching.folder import FileKey
from workbench.watching.verdict import Given

TAIL = 1 << 18  # bytes at the end of a file of lines in which an unfinished one is looked for
VERDICTS = get_args(Verdict)
LINE_SUFFIXES = (".jsonl", ".ndjson", ".json")
FIRST_WORDS = b'{"file": "'  # of a line
PROGRAM = Path(__file__).resolve().parents[2]


class Outputs:
    """Tells others of verdicts.

    Parameters
    ----------
    mover
        Moves the files; None: they stay.
    line_file
        Where lines of JSON are appended; None: nowhere.
    show
        Told of each verdict once it is kept and the file is where it belongs; for standard output.
    """

    def __init__(
        self,
        mover: Mover | None = None,
        line_file: LineFile | None = None,
        show: Callable[[Given], None] = lambda _: None,
    ) -> None:
        self.mover, self.line_file, self.show = mover, line_file, show

    def plan(self, given: Given) -> Given:
        """Decide where a file is moved to; called before its verdict is kept, so that a restart knows."""
        if self.mover is None or given.verdict is None:
            return given
        return replace(given, moved_to=str(self.mover.plan(given)))

    def give(self, given: Given, *, again: bool = False) -> None:
        """Do all that is to be done with a verdict.

        Parameters
        ----------
        again
            Whether some of it may have been done already, before a crash.

        Raises
        ------
        NotKept
            When something cannot be written at present; calling again with `again` does the rest.
        """
        if self.mover is not None and given.moved_to is not None:
            given = replace(given, moved_to=str(self.mover.move(given)))
        if self.line_file is not None:
            self.line_file.write(given, again=again)
        self.show(given)


class Mover:
    """Moves files into folders named accept, review and reject; nothing is ever overwritten.

    Parameters
    ----------
    folder
        The watched folder.
    target
        Where those three folders are, or are made.

    Raises
    ------
    SettingsError
        When a file would be moved to where it is.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder, self.target = folder, target
        if folder.resolve() in [place.resolve() for place in self.places]:
            raise SettingsError(
                f"{folder} is a folder that files are moved to. Name another with --move, or watch another."
            )

    @property
    def places(self) -> list[Path]:
        """The folders that files are moved to; no new images are to be looked for in them."""
        return [self.target / verdict for verdict in VERDICTS]

    def plan(self, given: Given) -> Path:
        """Return a free name for a file, in the folder of its verdict."""
        wanted = self.target / str(given.verdict) / given.file
        return next(path for path in _names(wanted) if not path.exists())

    def move(self, given: Given) -> Path:
        """Move a file that is still as it was judged, and return where it is.

        One that is gone, or another by now, was moved before a crash or taken by somebody: it is left alone.

        Raises
        ------
        NotKept
            When it cannot be moved at present.
        """
        source, planned = self.folder / given.file, Path(str(given.moved_to))
        try:
            if not _is_still(source, given.key):
                return planned
            if planned.exists() and _is_same(source, planned, given.sha256):
                source.unlink()  # it was put there, and a crash came before it was taken away here
                return planned
            planned.parent.mkdir(parents=True, exist_ok=True)
            return _put(source, planned)
        except FileNotFoundError:
            return planned  # somebody took it this moment
        except OSError as fault:
            raise NotKept(
                f"{source} cannot be moved to {planned} ({fault.strerror or fault}). No further image is scored "
                "until it can be."
            ) from fault


class LineFile:
    """Appends verdicts to a file, a line of JSON each, on the disk before `write` returns.

    Parameters
    ----------
    path
        A file for such lines and for nothing else: its name ends in .jsonl, .ndjson or .json, no part of its path is
        hidden, it lies outside the program's own folder, and it is new, empty, or ends in a line that was written here.

    Raises
    ------
    SettingsError
        When it is another file. A line holds names that others choose, and must never come into what a shell or a
        program reads at its start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if reason := _why_no_line_file(path):
            raise SettingsError(f"{path} {reason}")

    def write(self, given: Given, *, again: bool = False) -> None:
        """Append a line; with `again`, only what of it is not there yet.

        Raises
        ------
        NotKept
            When it cannot be written at present.
        """
        line = as_line(given).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab+", buffering=0, opener=_open_itself) as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - TAIL))
                *lines, cut_off = file.read().split(b"\n")
                if again and any(_tells_of(one, given) for one in lines):
                    return
                rest = line[len(cut_off) :] if line.startswith(cut_off) else b"\n" + line
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
        except OSError as fault:
            raise NotKept(
                f"{self.path} cannot be written ({fault.strerror or fault}). No further image is scored until it "
                "can be."
            ) from fault


def as_line(given: Given) -> str:
    """Return a verdict as one line of JSON."""
    return json.dumps(given.to_dict())


def to_stdout(text: Callable[[Given], str]) -> Callable[[Given], None]:
    """Return what prints verdicts, one a line, at once.

    Raises
    ------
    PatchCoreError
        When nobody reads them any more; by what is returned.
    """

    def show(given: Given) -> None:
        try:
            print(text(given), flush=True)  # noqa: T201 - its job
        except BrokenPipeError:
            raise PatchCoreError(
                "Nobody reads the results any more. The verdict in hand is kept, and told at the next start."
            ) from None

    return show


def _why_no_line_file(path: Path) -> str | None:
    """Say why lines must not be appended to a file; None where they may be."""
    home, place = Path.home(), path.absolute().parent.resolve() / path.name
    below = place.relative_to(home if place.is_relative_to(home) else place.anchor)
    reasons = {
        f"is a folder; name the file to write, such as {path / 'lines.jsonl'}.": path.is_dir(),
        f"has none of the endings {', '.join(LINE_SUFFIXES)}; give the file such a name.": (
            path.suffix.casefold() not in LINE_SUFFIXES
        ),
        "is a link to another file. Name the file itself.": path.is_symlink(),
        "is hidden or lies where programs keep their settings. Choose another place.": is_private(
            below.parts
        ),
        f"lies in the program's own folder {PROGRAM}. Choose another place.": place.is_relative_to(PROGRAM),
        "exists, and its last line was not written by this program. Name a new file.": (
            path.exists() and not (path.is_file() and _ends_in_our_line(path))
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _ends_in_our_line(path: Path) -> bool:
    """Whether a file is empty, or its last whole line is one of ours; a cut-off one may follow it."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - TAIL))
            *lines, cut_off = file.read().split(b"\n")
    except OSError:
        return False
    if lines:
        return _given(lines[-1]) is not None
    return not cut_off or cut_off.startswith(FIRST_WORDS) or FIRST_WORDS.startswith(cut_off)


def _open_itself(path: str, flags: int) -> int:
    """Open a file, and nothing that a link of its name may lead to by now."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _given(line: bytes) -> Given | None:
    """Read a line as it was written; None where it is another's."""
    try:
        return Given.from_dict(json.loads(line))
    except (ValueError, TypeError, KeyError):
        return None


def _tells_of(line: bytes, given: Given) -> bool:
    told = _given(line)
    return told is not None and (told.key, told.time) == (given.key, given.time)


def _names(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}_{number}{path.suffix}")
        number += 1


def _is_still(path: Path, key: FileKey) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (key.size, key.mtime_ns)


def _is_same(one: Path, other: Path, sha256: str) -> bool:
    if one.samefile(other):
        return True
    with other.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _put(source: Path, planned: Path) -> Path:
    """Give a file a free name near the planned one; whole in its new place before it leaves the old."""
    try:
        return _rename(source, planned)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
    partial = planned.with_name(f".{planned.name}.part")
    shutil.copy2(source, partial)
    flush(partial)
    placed = _rename(partial, planned)
    source.unlink()
    return placed


def _rename(source: Path, planned: Path) -> Path:
    """Rename on one disk; a second name first, since renaming would overwrite what came there this moment."""
    for target in _names(planned):
        try:
            os.link(source, target)
        except FileExistsError:
            continue
        except OSError as fault:
            if fault.errno in (errno.EXDEV, errno.ENOENT, errno.ENOSPC):
                raise
            if target.exists():
                continue
            source.rename(target)  # a file system without second names, as on some shares
        else:
            source.unlink()
        flush(target.parent)
        return target
    raise AssertionError("names do not run out")
