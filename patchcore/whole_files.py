"""Files that are whole or not there: written beside their place, put onto the disk, renamed."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from patchcore.disk.in_use import WINDOWS, delete_file, rename

LONGEST_OWN = 200  # bytes of the target's name in the temporary one; a disk takes 255 in all


@contextmanager
def whole_file(
    target: Path, part: Path | None = None, before: Callable[[], object] = lambda: None
) -> Iterator[Path]:
    """Yield a path to write; when the block ends without an error, the file is flushed and renamed to `target`.

    After an error the written file is deleted, and an existing `target` stays as it was.

    Parameters
    ----------
    part
        Path to write to, on the same disk as the target; None for a temporary name beside the target.
    before
        Called once the file is flushed, right before the renaming.
    """
    if part is None:
        own = f".{target.name}" if len(os.fsencode(target.name)) <= LONGEST_OWN else ""
        part = target.with_name(f"{own}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
        flush(part)
        before()
        rename(part, target)
    finally:
        delete_file(part)


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk (Windows cannot open folders)."""
    if WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
