"""Moving: a file goes into the folder of its verdict, without loss, whether on one disk or across two.

A crash leaves a move that can be completed without a second move: a file that is gone was moved already.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

from patchcore.disk.in_use import delete_file, rename_to_free
from patchcore.errors import NotKept, SettingsError
from patchcore.files.targets import require_folder
from patchcore.images.file_names import display_name, joined
from patchcore.whole_files import flush
from workbench.watching.folder import FileKey
from workbench.watching.outputs.declaration import Option, Output, OutputSpec, Values
from workbench.watching.verdict import VerdictRecord


class Mover(Output):
    """Moves files into folders named accept, review and reject; nothing is ever overwritten.

    Parameters
    ----------
    folder
        The watched folder.
    target
        The folder that holds those three; they are made when missing.

    Raises
    ------
    SettingsError
        A file would be moved to its own place.
    """

    needs_verdict = "No file can be moved by its verdict"

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder, self.target = folder, target
        if folder.resolve() in [place.resolve() for place in self.folders_left_out()]:
            raise SettingsError(
                f"{folder} is a folder that files are moved to. Name another with --move, or watch another."
            )

    def folders_left_out(self) -> list[Path]:
        """Return the folders that files are moved to."""
        from patchcore.thresholds.operating_point import Verdict  # late: SciPy comes with it

        return [self.target / verdict for verdict in get_args(Verdict)]

    def require_targets(self) -> None:
        """Try the three folders, and whether files can leave the watched one. Errors as in `Output.require_targets`."""
        for place in (*self.folders_left_out(), self.folder):
            require_folder(place)

    def plan(self, verdict: VerdictRecord) -> VerdictRecord:
        """Note a free name for a file, in the folder of its verdict; a file without a verdict stays."""
        if verdict.verdict is None:
            return verdict
        wanted = self.target / verdict.verdict / verdict.file
        return replace(verdict, moved_to=str(next(path for path in _names(wanted) if not path.exists())))

    def deliver(self, verdict: VerdictRecord, *, again: bool) -> VerdictRecord:
        """Move a file as planned, and note its new place. Errors as in `Output.deliver`."""
        return verdict if verdict.moved_to is None else replace(verdict, moved_to=str(self._move(verdict)))

    def _move(self, record: VerdictRecord) -> Path:
        """Move a file that has not changed since its verdict, and return its new place.

        A file that is gone, or has changed, was moved before a crash or taken by somebody: it is left alone.
        """
        source, planned = self.folder / record.file, Path(str(record.moved_to))
        try:
            if not _is_still(source, record.key):
                return planned
            if planned.exists() and _is_same(source, planned, record.sha256):
                delete_file(source)  # a crash came after the copy and before the removal
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


def _names(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(joined(path.stem, f"_{number}{path.suffix}"))
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
    """Move a file to a free name near the planned one; its copy is whole before the original goes."""
    try:
        return _rename(source, planned)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
    partial = planned.with_name(joined(f".{planned.name}", ".part"))
    shutil.copy2(source, partial)
    flush(partial)
    placed = _rename(partial, planned)
    delete_file(source)
    return placed


def _rename(source: Path, planned: Path) -> Path:
    """Rename on one disk, to the first name that is free."""
    for target in _names(planned):
        try:
            rename_to_free(source, target)
        except FileExistsError:
            continue
        flush(target.parent)
        return target
    raise AssertionError("names do not run out")


def _make(values: Values, folder: Path) -> Mover | None:
    return Mover(folder, Path(values["move_to"])) if values["move_to"] else None


def _summary(values: Values) -> str:
    return f"images move into {display_name(values['move_to'])}" if values["move_to"] else ""


MOVE = OutputSpec(
    "move",
    (
        Option(
            "move_to",
            "--move",
            "folder",
            label="Move images into accept, review or reject in this folder",
            help="Move each image into accept, review or reject in this folder.",
            default="",
            detail="Nothing is overwritten: where a name is taken, a free one is found.",
            empty="they stay where they are",
        ),
    ),
    _make,
    _summary,
)
