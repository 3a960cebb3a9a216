"""Uploads: dropped files, archives and folders become a set of named images; nothing is trusted on the way.

Names are made safe, archives are weighed before they are unpacked, folders on this computer are open only
below the allowed roots, and each file that is not used is listed with its reason.
"""

import io
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from patchcore.errors import PatchCoreError
from patchcore.images.file_names import (
    display_name,
    expanded,
    is_file,
    is_folder,
    is_hidden,
    is_private,
    safe_name,
)
from patchcore.images.unread_files import CLOSED, DEAD_LINK, DEVICE, FOLDER_LINK, HEAD, LINK, kind_of
from workbench.uploads.image_set import (
    UploadSet,
    is_for_labels,
    new_file,
    why_not_wanted,
)
from workbench.uploads.spool_budget import SpoolBudget, spool_budget
from workbench.uploads.zip_archives import DEFAULT_LIMITS, NO_ROOM, ZipLimits, unpack_zip


class FolderError(PatchCoreError):
    """A folder on this computer is missing, or not open to the interface."""


def from_files(
    files: Iterable[tuple[str, bytes | BinaryIO | Path]],
    spool: Path,
    limits: ZipLimits = DEFAULT_LIMITS,
    budget: SpoolBudget = spool_budget,
) -> UploadSet:
    """Take dropped files; zip archives among them are unpacked.

    Parameters
    ----------
    files
        (name as the browser sent it, content). Streams are copied to `spool` piece by piece; bytes and paths
        are taken as they are.
    spool
        An existing folder for unpacked and copied files; the caller deletes it afterwards.
    limits
        For archives.
    budget
        The room for the files of all sessions.
    """
    uploads = UploadSet()
    for name, content in files:
        with _opened(content) as stream:
            head = stream.read(HEAD)
            stream.seek(0)
            if _is_zip(name, head):
                uploads.extend(unpack_zip(stream, name, spool, limits, budget))
            elif not is_for_labels(name) and (reason := why_not_wanted(name, head)):
                uploads.leave_out(name, reason, kind_of(name, head))
            elif not isinstance(content, bytes | Path) and not budget.take(spool, _length(stream)):
                uploads.leave_out(name, NO_ROOM)
            else:
                take = uploads.add_labels if is_for_labels(name) else uploads.add
                take(name, content if isinstance(content, bytes | Path) else _copied(stream, spool, name))
    return uploads


def from_folder(
    folder: Path, *, within: Sequence[Path] | None = None, exclude: Sequence[Path] = ()
) -> UploadSet:
    """Take the files below a folder, in the order of their paths; nothing is read or copied.

    Parameters
    ----------
    folder
        Where to look, at any depth.
    within
        Where links to files may lead; by default nowhere outside `folder`.
    exclude
        Folders not to enter, such as the workspace.

    Raises
    ------
    FolderError
        The folder does not exist.
    """
    root = folder.resolve()
    if not is_folder(root):  # False, not an error, for a name that no disk takes
        raise FolderError(f"{display_name(str(folder))} is not a folder on this computer. Check the path.")
    uploads = UploadSet()
    limits = [place.resolve() for place in (within or [root])]
    for path in _walk(root, {place.resolve() for place in exclude}, uploads):
        name = path.relative_to(root).as_posix()
        if found := _why_not_from_disk(path, name, limits):
            uploads.leave_out(name, *found)
        elif is_for_labels(name):
            uploads.add_labels(name, path)
        else:
            uploads.add(name, path)
    return uploads


def from_server(
    typed: str,
    spool: Path,
    *,
    roots: Sequence[Path] | None = None,
    exclude: Sequence[Path] = (),
) -> UploadSet:
    """Take a folder (or a zip file) of this computer by a path that a user typed.

    Parameters
    ----------
    typed
        Absolute, ``~`` or relative to the first root.
    spool
        As in `from_files`, for a zip.
    roots
        Where the path must lie once links are resolved; by default `allowed_roots`.
    exclude
        As in `from_folder`.

    Raises
    ------
    FolderError
        Outside the roots, or not there. Outside, the message is the same whether it exists or not.
    """
    roots = allowed_roots() if roots is None else list(roots)
    path = open_path(typed, roots=roots, exclude=exclude)
    if is_file(path):
        return from_files([(path.name, path)], spool)
    return from_folder(path, within=roots, exclude=exclude)


def open_path(typed: str, *, roots: Sequence[Path] | None = None, exclude: Sequence[Path] = ()) -> Path:
    """Return a path of this computer that a user typed, where the interface may go there; it need not exist.

    Parameters
    ----------
    typed, roots, exclude
        As in `from_server`.

    Raises
    ------
    FolderError
        Outside the roots, or inside one of `exclude`. Outside, the message is the same whether it exists or not.
    """
    roots = [root.resolve() for root in (allowed_roots() if roots is None else roots)]
    shown = display_name(typed.strip())
    try:
        path = (roots[0] / Path(typed.strip()).expanduser()).resolve()
    except (IndexError, OSError, RuntimeError, ValueError):  # no roots, link loops, no such user, NUL
        path = None
    if path is None or not _inside(path, roots):
        places = ", ".join(str(root) for root in roots) or "none"
        raise FolderError(
            f"{shown} is outside the folders that are open here ({places}). The dashboard's administrator can open "
            "more through PATCHCORE_ROOTS."
        )
    if _inside(path, [place.resolve() for place in exclude]):
        raise FolderError(f"{shown} belongs to the dashboard itself. Choose the images' own folder.")
    if any(is_private(path.relative_to(root).parts) for root in roots if path.is_relative_to(root)):
        raise FolderError(
            f"{shown} lies in a hidden folder, where programs keep their settings. Choose a folder without one in "
            "its path."
        )
    return path


def allowed_roots(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """List the folders that are open to the interface: ``PATCHCORE_ROOTS``, else the user's home if there is one.

    A dashboard that serves other computers too sets ``PATCHCORE_ROOTS`` to the folder `inspection` of the home, unless
    it is set already (`workbench.widgets.frame.front`).
    """
    named = [entry for entry in environ.get("PATCHCORE_ROOTS", "").split(os.pathsep) if entry.strip()]
    if named:
        return [expanded(entry).resolve() for entry in named]
    try:
        return [Path.home().resolve()]
    except RuntimeError:  # a service's user without a home
        return []


def _walk(root: Path, exclude: set[Path], uploads: UploadSet) -> Iterator[Path]:
    """Yield the files below a folder in order, without following links to folders."""

    def unreadable(fault: OSError) -> None:
        where = Path(fault.filename).relative_to(root).as_posix()
        uploads.leave_out(f"{where}/", f"cannot be opened ({fault.strerror}). Check its permissions.", CLOSED)

    for where, folders, files in os.walk(root, onerror=unreadable):
        here = Path(where)
        linked = [entry for entry in folders if (here / entry).is_symlink()]
        for entry in linked:
            name = (here / entry).relative_to(root).as_posix()
            uploads.leave_out(
                name, "a link to a folder, which is not followed. Choose that folder itself.", FOLDER_LINK
            )
        skipped = {*linked, *(entry for entry in folders if here / entry in exclude)}
        folders[:] = sorted(entry for entry in folders if entry not in skipped and not is_hidden((entry,)))
        yield from (here / entry for entry in sorted(files))


def _why_not_from_disk(path: Path, name: str, limits: Sequence[Path]) -> tuple[str, str] | None:
    """Return the reason against a file, and its kind; None for one that may be an image."""
    if path.is_symlink() and not _inside(path.resolve(), limits):
        return "a link that leads outside the folders that are open here. Copy the image itself.", LINK
    if not path.is_file():
        kind = DEAD_LINK if path.is_symlink() and not path.exists() else DEVICE
        return "not a regular file. Copy the image itself.", kind
    try:
        head = _head(path)
        reason = None if is_for_labels(name) else why_not_wanted(name, head)
        return None if reason is None else (reason, kind_of(path.name, head))
    except OSError as fault:
        return f"cannot be opened ({fault.strerror}). Check its permissions.", CLOSED


def _inside(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _is_zip(name: str, head: bytes) -> bool:
    path = PurePosixPath(safe_name(name))
    if is_hidden(path.parts):
        return False
    return path.suffix.lower() == ".zip" or (path.suffix == "" and head.startswith(b"PK\x03\x04"))


def _opened(content: bytes | BinaryIO | Path) -> AbstractContextManager[BinaryIO]:
    if isinstance(content, bytes):
        return io.BytesIO(content)
    if isinstance(content, Path):
        return content.open("rb")
    content.seek(0)
    return nullcontext(content)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _length(stream: BinaryIO) -> int:
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return length


def _copied(stream: BinaryIO, spool: Path, name: str) -> Path:
    target = new_file(spool, name)
    with target.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    return target
