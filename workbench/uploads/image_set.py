"""A set of uploaded images: safe unique names, and a reason for every file left out."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchcore.errors import NoImagesError
from patchcore.images.file_names import IMAGE_SUFFIXES, FreeNames, is_hidden, safe_name
from patchcore.images.formats import REMEDY, foreign_kind, sniff_format
from patchcore.images.unread_files import TEXT, UNKNOWN, why_no_images
from patchcore.labels.mask_names import is_annotation

TABLES = frozenset({".csv"})
FOR_LABELS = "labels or marks of images, not an image. It is read where a labelled set is brought in."
ARCHIVES = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"})


@dataclass(frozen=True)
class Upload:
    """A file to be read as an image.

    Attributes
    ----------
    name
        Safe to show and to use: relative, forward slashes, one line, unique in its set.
    data
        The file's bytes, or where it lies on this computer.
    """

    name: str
    data: bytes | Path


@dataclass(frozen=True)
class LeftOut:
    """A file that will not be used, with the reason and the remedy, and its kind, a noun."""

    name: str
    reason: str
    kind: str = UNKNOWN


@dataclass
class UploadSet:
    """Files that may be images, in upload order, and files left out.

    `tables` of labels and `annotations` of defects also stand among the files left out: only an upload of labels reads
    them.
    """

    images: list[Upload] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    tables: list[Upload] = field(default_factory=list)
    annotations: list[Upload] = field(default_factory=list)
    _names: FreeNames = field(default_factory=FreeNames, repr=False)

    def __len__(self) -> int:
        """Count the files that may be images."""
        return len(self.images)

    def __iter__(self) -> Iterator[Upload]:
        """Go through the files that may be images."""
        return iter(self.images)

    def add(self, name: str, data: bytes | Path) -> None:
        """Take a file under a safe, unique name."""
        self.images.append(Upload(self._names.take(safe_name(name)), data))

    def add_labels(self, name: str, data: bytes | Path) -> None:
        """Take a file that may hold the images' labels, or marks of their defects."""
        files = self.annotations if is_annotation(safe_name(name)) else self.tables
        files.append(Upload(self._names.take(safe_name(name)), data))
        self.leave_out(name, FOR_LABELS, TEXT)

    def leave_out(self, name: str, reason: str, kind: str = UNKNOWN) -> None:
        """Note a file that is not used."""
        self.left_out.append(LeftOut(safe_name(name), reason, kind))

    def require_images(self, place: str) -> None:
        """Refuse a set without images.

        Parameters
        ----------
        place
            The folder or archive as the user knows it.

        Raises
        ------
        NoImagesError
            No file may be an image; the sentence counts the files by kind.
        """
        if not self.images:
            raise NoImagesError(why_no_images(place, kinds(self.left_out)))

    def extend(self, other: UploadSet) -> None:
        """Take over another set, renaming where names collide."""
        for upload in other:
            self.add(upload.name, upload.data)
        self.tables += [Upload(self._names.take(file.name), file.data) for file in other.tables]
        self.annotations += [Upload(self._names.take(file.name), file.data) for file in other.annotations]
        self.left_out += other.left_out


def kinds(files: Iterable[LeftOut]) -> Counter[str]:
    """Count files that are left out, by their kinds."""
    return Counter(file.kind for file in files)


def is_for_labels(name: str) -> bool:
    """Whether a file may be a table of labels or an annotation file, by its name."""
    path = PurePosixPath(safe_name(name))
    return is_annotation(str(path)) or (path.suffix.lower() in TABLES and not is_hidden(path.parts))


def why_not_wanted(name: str, head: bytes) -> str | None:
    """Return the reason why a file cannot be an image, by its name and first bytes; None for a candidate."""
    path = PurePosixPath(safe_name(name))
    if is_hidden(path.parts):
        return "a hidden file that the operating system keeps for itself; it does not show a part."
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES or sniff_format(head) is not None:
        return None
    if suffix in ARCHIVES or head.startswith(b"PK\x03\x04"):
        return "an archive within; unpack it and hand in its images, or drop it by itself as a zip."
    if what := foreign_kind(head):
        return f"{what}, which cannot be read here. {REMEDY}"
    return f"not an image by its name or its content. {REMEDY}"


def new_file(spool: Path, name: str) -> Path:
    """Make an empty file in `spool` under a name of our own; only a known suffix is kept."""
    suffix = PurePosixPath(name).suffix.lower()
    handle, path = tempfile.mkstemp(dir=spool, suffix=suffix if suffix in IMAGE_SUFFIXES else "")
    os.close(handle)
    return Path(path)
