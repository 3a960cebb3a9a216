"""Temporary files whose process is gone: who may still be writing one, and when it is rubbish."""

import time
from contextlib import suppress
from pathlib import Path

import psutil

from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace

OLD_SECONDS = (
    600.0  # a process on another computer, whose number means nothing here, may be writing it until then
)


def is_being_written(path: Path) -> bool:
    """Whether the process that a temporary file is named after lives, and is not a later one of that number."""
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
    """Delete what processes that are gone were writing more than `age` seconds ago."""
    for path in list((workspace.root / "temporary").iterdir()):
        try:
            old = time.time() - path.stat().st_mtime >= age
        except FileNotFoundError:
            continue  # its writer has just renamed it
        if old and not is_being_written(path):
            with suppress(WorkspaceError):  # a link: nothing of ours
                workspace.delete(path, "temporary")
