"""Temporary files: whether the writing process still lives, and deletion once it is gone."""

import time
from contextlib import suppress
from pathlib import Path

import psutil

from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace

OLD_SECONDS = (
    600.0  # until then a process on another computer, whose number means nothing here, may be writing it
)


def is_being_written(path: Path) -> bool:
    """Whether the process in a temporary file's name lives, and is not a later process of the same number."""
    number = path.name.partition("-")[0]
    if not number.isdecimal():
        return False
    try:
        process = psutil.Process(int(number))
        began: float = process.create_time()
        return process.status() != psutil.STATUS_ZOMBIE and began < path.stat().st_mtime + 1
    except (psutil.NoSuchProcess, OverflowError):
        return False
    except FileNotFoundError:
        return True  # it was finished this moment


def delete_leftovers(workspace: Workspace, age: float = OLD_SECONDS) -> None:
    """Delete temporary files of ended processes that are older than `age` seconds."""
    for path in list((workspace.root / "temporary").iterdir()):
        try:
            old = time.time() - path.stat().st_mtime >= age
        except FileNotFoundError:
            continue  # its writer has just renamed it
        if old and not is_being_written(path):
            with suppress(WorkspaceError):  # a link: nothing of ours
                workspace.delete(path, "temporary")
