"""Places that a command is to write to: tried before the costly work, and a sentence where they cannot be written."""

import errno
import os
import secrets
import stat
from pathlib import Path

from patchcore.disk.in_use import delete_file
from patchcore.errors import SettingsError
from patchcore.images.file_names import display_name, is_file, is_folder

_REMEDIES = {
    errno.EACCES: "Choose a place that you may write to, or change its permissions.",
    errno.EPERM: "Choose a place that you may write to, or change its permissions.",
    errno.EROFS: "Choose a place that you may write to.",
    errno.ENOSPC: "Make room on its disk, or choose a place on another disk.",
    errno.EDQUOT: "Make room on its disk, or choose a place on another disk.",
    errno.EFBIG: "Choose a place that takes files of this size.",
    errno.ENAMETOOLONG: "Choose a shorter name: most disks take 255 bytes.",
    errno.ENOTDIR: "A part of the path is a file, not a folder. Choose another place.",
}
_WINDOWS_REMEDIES = {  # by Windows' own numbers, several of which are one errno
    5: "Close the program that has it open, or choose a place that you may write to.",
    32: "Close the program that has it open, or choose another name.",
    33: "Close the program that has it open, or choose another name.",
    123: 'Choose a name without < > : " | ? and *.',
    206: "Choose a shorter path: Windows takes 259 characters, unless its long paths are switched on.",
}
LONGEST_PATH = 259  # characters, on Windows


def cannot_write(target: Path, fault: OSError) -> str:
    """Return a sentence on a place that cannot be written to, with the reason and the remedy."""
    number = getattr(fault, "winerror", None) or 0
    if number == 3 and len(str(target.absolute())) > LONGEST_PATH:  # "path not found"
        number = 206
    remedy = _WINDOWS_REMEDIES.get(number) or _REMEDIES.get(fault.errno or 0)
    return (
        f"{_shown(target)} cannot be written ({fault.strerror or fault}). {remedy or 'Choose another place.'}"
    )


def is_bad_name(fault: OSError) -> bool:
    """Whether an error says that a name or a path is longer than a disk takes, or has characters that it refuses."""
    return fault.errno == errno.ENAMETOOLONG or getattr(fault, "winerror", None) in (123, 206)


def require_file(target: Path, example: str = "") -> None:
    """Try whether a file can be written, before the work whose result it holds; no file is left.

    Parameters
    ----------
    target
        The file. Missing folders above are made when it is written, not now.
    example
        A file's name to suggest where the target is a folder.

    Raises
    ------
    SettingsError
        It cannot be written; the sentence says why and what to do.
    """
    if is_folder(target):
        named = f", such as {_shown(target / example)}" if example else ""
        raise SettingsError(f"{_shown(target)} is a folder; name the file to write{named}.")
    if os.path.lexists(target) and not (target.is_symlink() or is_file(target)):
        raise SettingsError(f"{_shown(target)} is a device or a pipe. Name an ordinary file to write.")
    _try(target, target.parent)


def require_folder(folder: Path) -> None:
    """Try whether files can be written into a folder, which may be missing yet; nothing is left.

    Raises
    ------
    SettingsError
        Nothing can be written there; the sentence says why and what to do.
    """
    if os.path.lexists(folder) and not is_folder(folder):
        raise SettingsError(f"{_shown(folder)} is a file, not a folder. Name a folder to write to.")
    _try(folder, folder)


def _try(target: Path, folder: Path) -> None:
    """Make and delete a file in the folder, or in the nearest folder above that exists."""
    try:
        place = target.absolute()
        existing = folder.absolute()
        while not os.path.lexists(existing) and existing != existing.parent:
            existing = existing.parent
        for part in place.relative_to(existing).parts:
            try:
                (existing / part).lstat()  # its name may be too long for the disk
            except FileNotFoundError:
                continue
        if not stat.S_ISDIR(existing.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        trial = existing / f".{os.getpid()}-{secrets.token_hex(4)}.part"
        with trial.open("xb"):
            pass
        delete_file(trial)
    except OSError as fault:
        raise SettingsError(cannot_write(target, fault)) from fault
    except ValueError as fault:  # a null character
        raise SettingsError(
            f"{_shown(target)} is not a path that a disk takes. Choose another name."
        ) from fault


def _shown(path: Path) -> str:
    return display_name(str(path))
