"""Zip archives that users hand in: unpacked entry by entry into files of our own naming, each weighed first."""

import os
import re
import shutil
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from patchcore.disk.in_use import delete_file
from patchcore.images.file_names import quoted
from patchcore.images.unread_files import HEAD, LINK, kind_of
from workbench.uploads.image_set import UploadSet, is_for_labels, new_file, why_not_wanted
from workbench.uploads.spool_budget import SpoolBudget, spool_budget
from workbench.uploads.zip_opening import (
    ENTRY_FAULTS,
    MOST_RATIO,
    RATIO_FROM,
    BadArchive,
    open_zip,
    require_plausible_total,
)

CHUNK = 1 << 20
DAMAGED, REFUSED = "damaged archive", "file that its archive hides"
NO_ROOM = "no room is left on the dashboard's computer for files on their way in. Hand in fewer, or try again later."
_OUTSIDE = re.compile(r"^(/|\\|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)")


@dataclass(frozen=True)
class ZipLimits:
    """The largest contents of an archive.

    Parameters
    ----------
    max_files
        The largest number of entries.
    max_file_bytes, max_total_bytes
        Unpacked size of one entry, and of all of them.
    max_ratio
        Unpacked to packed size of an entry; counts only above `ratio_from` bytes.
    """

    max_files: int = 100_000
    max_file_bytes: int = 512 * 2**20
    max_total_bytes: int = 16 * 2**30
    max_ratio: float = MOST_RATIO
    ratio_from: int = RATIO_FROM


DEFAULT_LIMITS = ZipLimits()


def unpack_zip(
    archive: Path | BinaryIO,
    name: str,
    spool: Path,
    limits: ZipLimits = DEFAULT_LIMITS,
    budget: SpoolBudget = spool_budget,
) -> UploadSet:
    """Unpack the images of a zip into `spool`; names in the archive never become paths.

    Parameters
    ----------
    archive
        A file on disk, or a seekable binary stream.
    name
        The archive as the user knows it.
    spool
        An existing folder; the caller deletes it when the images are stored or no longer wanted.
    limits
        Checked on the archive's directory; unpacked bytes never exceed the declared size.
    budget
        The room for the files of all sessions.
    """
    uploads = UploadSet()
    try:
        with open_zip(archive, limits.max_files) as opened:
            _unpack_entries(opened, _size(archive), spool, limits, budget, uploads)
    except BadArchive as fault:
        uploads.leave_out(name, f"this zip archive was not unpacked: {fault}", REFUSED)
    except MemoryError:
        uploads.leave_out(
            name, "this zip archive is too large for the memory that is free. Split it.", REFUSED
        )
    except ENTRY_FAULTS as fault:
        uploads.leave_out(
            name, f"this zip archive is damaged or incomplete ({quoted(str(fault))}). Pack it again.", DAMAGED
        )
    if not uploads.images and not uploads.left_out:
        uploads.leave_out(
            name, "this zip archive is empty. Pack the images into it again.", "empty zip archive"
        )
    return uploads


def _size(archive: Path | BinaryIO) -> int:
    if isinstance(archive, Path):
        return archive.stat().st_size
    return archive.seek(0, os.SEEK_END)


def _unpack_entries(
    opened: zipfile.ZipFile,
    packed: int,
    spool: Path,
    limits: ZipLimits,
    budget: SpoolBudget,
    uploads: UploadSet,
) -> None:
    room, wanted = limits.max_total_bytes, list[zipfile.ZipInfo]()
    for entry in opened.infolist():
        if entry.filename.endswith("/"):  # `is_dir` fails on an entry without a name
            continue
        if refusal := _why_refused(entry, limits, room):
            uploads.leave_out(entry.filename, refusal, _kind_refused(entry))
        else:
            room -= entry.file_size
            wanted.append(entry)
    require_plausible_total(sum(entry.file_size for entry in wanted), packed)
    for entry in wanted:
        if not budget.take(spool, entry.file_size):
            uploads.leave_out(entry.filename, NO_ROOM, REFUSED)
        elif left_out := _unpack_entry(opened, entry, spool, uploads):
            budget.give_back(spool, entry.file_size)
            uploads.leave_out(entry.filename, *left_out)


def _why_refused(entry: zipfile.ZipInfo, limits: ZipLimits, room: int) -> str | None:
    """Return the fault of an entry, by the archive's directory alone; None for a good one."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    ratio = entry.file_size / max(entry.compress_size, 1)
    faults = (
        (
            stat.S_ISLNK(kind),
            "a link, not a file; links in archives are never followed. Pack the image itself.",
        ),
        (
            _OUTSIDE.search(entry.orig_filename) is not None,
            "its name points outside the archive. Pack the folder again with plain relative names.",
        ),
        (
            kind != 0 and not stat.S_ISREG(kind),
            "not a regular file. Pack the image itself.",
        ),
        (
            bool(entry.flag_bits & 0x1),
            "encrypted. Pack it again without a password.",
        ),
        (
            entry.file_size > limits.max_file_bytes,
            f"unpacks to {entry.file_size:,} bytes; the limit for one file is {limits.max_file_bytes:,}. "
            "Scale the image down first.",
        ),
        (
            ratio > limits.max_ratio and entry.file_size > limits.ratio_from,
            f"packed {ratio:,.0f} times smaller than it is, as in a zip bomb. Hand in the image unpacked.",
        ),
        (
            entry.file_size > room,
            f"no room left: the archive unpacks to more than {limits.max_total_bytes:,} bytes. Split it.",
        ),
    )
    return next((reason for wrong, reason in faults if wrong), None)


def _kind_refused(entry: zipfile.ZipInfo) -> str:
    return LINK if stat.S_ISLNK(entry.external_attr >> 16) else REFUSED


def _unpack_entry(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, spool: Path, uploads: UploadSet
) -> tuple[str, str] | None:
    """Write one entry to a numbered file; return the reason and the kind of a file that is not used."""
    target = None
    try:
        with opened.open(entry) as source:
            head = source.read(HEAD)
            if not is_for_labels(entry.filename) and (reason := why_not_wanted(entry.filename, head)):
                return reason, kind_of(entry.filename, head)
            target = new_file(spool, entry.filename)
            with target.open("wb") as file:
                file.write(head)
                shutil.copyfileobj(source, file, CHUNK)
    except (*ENTRY_FAULTS, MemoryError) as fault:
        if target is not None:
            delete_file(target)
        return f"cannot be unpacked ({quoted(str(fault))}). Pack it again.", DAMAGED
    take = uploads.add_labels if is_for_labels(entry.filename) else uploads.add
    take(entry.filename, target)
    return None
