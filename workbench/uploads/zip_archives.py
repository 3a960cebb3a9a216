"""Zip archives that users hand in: unpacked entry by entry into files of our own naming, each weighed first."""

import lzma
import re
import shutil
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from patchcore.disk.in_use import delete_file
from patchcore.images.unread_files import HEAD, LINK, kind_of
from workbench.uploads.image_set import UploadSet, is_for_labels, new_file, why_not_wanted

# What zipfile raises on damaged, encrypted and exotic entries.
ENTRY_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
CHUNK = 1 << 20
DAMAGED = "damaged archive"
_OUTSIDE = re.compile(r"^(/|\\|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)")


@dataclass(frozen=True)
class ZipLimits:
    """The largest contents of an archive.

    Parameters
    ----------
    max_files
        The largest number of entries that are read.
    max_file_bytes, max_total_bytes
        Unpacked size of one entry, and of all of them.
    max_ratio
        Unpacked to packed size of an entry; counts only above `ratio_from` bytes, since small plain pictures
        rightly pack a thousandfold.
    """

    max_files: int = 100_000
    max_file_bytes: int = 512 * 2**20
    max_total_bytes: int = 16 * 2**30
    max_ratio: float = 200.0
    ratio_from: int = 64 * 2**20


DEFAULT_LIMITS = ZipLimits()


def unpack_zip(
    archive: Path | BinaryIO, name: str, spool: Path, limits: ZipLimits = DEFAULT_LIMITS
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
    """
    uploads = UploadSet()
    try:
        with zipfile.ZipFile(archive) as opened:
            _unpack_entries(opened, name, spool, limits, uploads)
    except ENTRY_FAULTS as fault:
        uploads.leave_out(
            name, f"this zip archive is damaged or incomplete ({fault}). Pack it again.", DAMAGED
        )
    if not uploads.images and not uploads.left_out:
        uploads.leave_out(
            name, "this zip archive is empty. Pack the images into it again.", "empty zip archive"
        )
    return uploads


def _unpack_entries(
    opened: zipfile.ZipFile, name: str, spool: Path, limits: ZipLimits, uploads: UploadSet
) -> None:
    entries = [entry for entry in opened.infolist() if not entry.is_dir()]
    if len(entries) > limits.max_files:
        rest = len(entries) - limits.max_files
        uploads.leave_out(name, f"{rest:,} files beyond the first {limits.max_files:,}. Split the archive.")
    room = min(limits.max_total_bytes, int(shutil.disk_usage(spool).free * 0.9))
    for entry in entries[: limits.max_files]:
        refusal = _why_refused(entry, limits, room)
        left_out = (
            (refusal, _kind_refused(entry)) if refusal else _unpack_entry(opened, entry, spool, uploads)
        )
        if left_out is None:
            room -= entry.file_size
        else:
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
            "no room left: the archive unpacks to more than is allowed or free. Split the archive.",
        ),
    )
    return next((reason for wrong, reason in faults if wrong), None)


def _kind_refused(entry: zipfile.ZipInfo) -> str:
    return LINK if stat.S_ISLNK(entry.external_attr >> 16) else "file that its archive hides"


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
    except ENTRY_FAULTS as fault:
        if target is not None:
            delete_file(target)
        return f"cannot be unpacked ({fault}). Pack it again.", DAMAGED
    take = uploads.add_labels if is_for_labels(entry.filename) else uploads.add
    take(entry.filename, target)
    return None
