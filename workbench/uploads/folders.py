"""Folders of this computer as the interface shows them: below a folder, those that are open, with their images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchcore.images.file_names import IMAGE_SUFFIXES, display_name, is_folder, is_hidden, is_private
from workbench.uploads.intake import FolderError, allowed_roots, open_path

MOST_FOLDERS = 300  # that are listed
MOST_ENTRIES = 5_000  # of one folder that are looked at


@dataclass(frozen=True)
class Folder:
    """A folder.

    Attributes
    ----------
    path
        Its place.
    images
        The number of image files in it, by their names; without those of folders below.
    folders
        The number of open folders in it.
    whole
        Whether all entries were counted: very large folders are counted in part.
    problem
        Why it cannot be looked into, in a sentence; empty where it can.
    """

    path: Path
    images: int = 0
    folders: int = 0
    whole: bool = True
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """What stands in a folder.

    Attributes
    ----------
    here
        The folder; None stands for the computer, whose folders are the open roots: on Windows these may be drives.
    above
        The place one step up: a folder, or None for the computer.
    folders
        The open folders in it, in order.
    more
        How many further folders are not listed.
    """

    here: Folder | None
    above: Path | None
    folders: tuple[Folder, ...]
    more: int = 0


def list_folder(place: Path | None, *, exclude: Sequence[Path] = ()) -> Listing:
    """Return the open folders in a place, each with the number of its images.

    Parameters
    ----------
    place
        A folder; None lists the roots.
    exclude
        Folders that are not shown, such as the workspace.

    Raises
    ------
    FolderError
        The folder is outside the open ones, is not there, or cannot be looked into.
    """
    if place is None:
        return Listing(None, None, tuple(_counted(root, exclude) for root in allowed_roots()))
    here = open_path(str(place), exclude=exclude)
    if not is_folder(here):
        raise FolderError(f"{display_name(str(here))} is not a folder on this computer. Check the path.")
    counted = _counted(here, exclude)
    if counted.problem:
        raise FolderError(counted.problem)
    below = _folders(here, exclude)
    above = None if here in allowed_roots() else here.parent
    found = tuple(_counted(one, exclude) for one in below[:MOST_FOLDERS])
    return Listing(counted, above, found, len(below) - len(found))


def first_folder(*wanted: str, exclude: Sequence[Path] = ()) -> Path | None:
    """Return the first of some typed places that is an open folder, else the first root; None without any."""
    for typed in wanted:
        try:
            place = open_path(typed, exclude=exclude) if typed.strip() else None
        except FolderError:
            continue
        if place is not None and is_folder(place):
            return place
    return next(iter(allowed_roots()), None)


def _counted(folder: Path, exclude: Sequence[Path]) -> Folder:
    images = folders = looked = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                looked += 1
                if looked > MOST_ENTRIES:
                    break
                if _is_open_folder(entry, exclude):
                    folders += 1
                elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not is_hidden((entry.name,)):
                    images += 1
    except OSError as fault:
        what = f"{display_name(str(folder))} cannot be opened ({fault.strerror}). Check its permissions."
        return Folder(folder, problem=what)
    return Folder(folder, images, folders, looked <= MOST_ENTRIES)


def _folders(folder: Path, exclude: Sequence[Path]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if _is_open_folder(entry, exclude)]
    except OSError:  # it went away meanwhile
        return []
    return [folder / name for name in sorted(found, key=str.casefold)]


def _is_open_folder(entry: os.DirEntry[str], exclude: Sequence[Path]) -> bool:
    """Whether an entry is a folder that the interface may open; links to folders are not followed."""
    try:
        if not entry.is_dir(follow_symlinks=False):
            return False
    except OSError:
        return False
    path = Path(entry.path)
    roots = [root for root in allowed_roots() if path.is_relative_to(root)]
    private = any(is_private(path.relative_to(root).parts) for root in roots)
    return (
        not private
        and not is_hidden((entry.name,))
        and path.resolve() not in {one.resolve() for one in exclude}
    )
