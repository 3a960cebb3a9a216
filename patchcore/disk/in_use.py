"""Renaming and deletion, also of files that another program has open for a moment.

Windows refuses to rename or delete a file that a program has open: a virus scanner, the search index, a picture viewer.
Such a refusal mostly lasts for an instant, so every renaming and deletion of the product goes through this module.
"""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
WINDOWS = os.name == "nt"
IN_USE = frozenset({5, 32, 33})  # Windows' numbers for: access denied, opened by another program, locked
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # seconds between two tries, 0.8 in all


def once_free(action: Callable[[], T]) -> T:
    """Run an action on files; while another program has one of them open, try again for a second at most.

    Raises
    ------
    OSError
        The action's own error, when the file stays in use or the cause is another one.
    """
    for pause in PAUSES:
        try:
            return action()
        except OSError as fault:
            if getattr(fault, "winerror", None) not in IN_USE:
                raise
        time.sleep(pause)
    return action()


def rename(source: Path, target: Path) -> None:
    """Rename a file or a folder on one disk; a file of that name is replaced."""
    once_free(lambda: source.replace(target))


def rename_to_free(source: Path, target: Path) -> None:
    """Rename a file on one disk; a file that has just come to the target is never replaced.

    Raises
    ------
    FileExistsError
        The name is taken.
    """
    if (
        WINDOWS
    ):  # its renaming replaces nothing, and needs neither a second name nor a file that may be written
        once_free(lambda: source.rename(target))
        return
    try:
        os.link(source, target)
    except OSError as fault:
        if fault.errno in (errno.EEXIST, errno.EXDEV, errno.ENOENT, errno.ENOSPC):
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from fault
        source.rename(target)  # a file system without second names, as on some shares
    else:
        source.unlink()


def delete_file(path: Path) -> None:
    """Delete a file, if it is there; Windows' mark *read-only* is taken away first."""
    if WINDOWS:
        with suppress(OSError):
            path.chmod(stat.S_IWRITE)
    once_free(lambda: path.unlink(missing_ok=True))


def delete_folder(folder: Path) -> None:
    """Delete a folder with all that it holds, as far as that is possible."""
    with suppress(OSError):
        once_free(lambda: shutil.rmtree(folder))
    shutil.rmtree(folder, ignore_errors=True)
