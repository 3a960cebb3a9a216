"""Files that are whole or not there: written beside their place, put onto the disk, renamed."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(
    target: Path, part: Path | None = None, before: Callable[[], object] = lambda: None
) -> Iterator[Path]:
    """Yield a path to write; when the block ends well it is flushed to the disk and renamed to `target`.

    When it does not, nothing is left of it, and a file that was there stays as it was.

    Parameters
    ----------
    part
        What to write to meanwhile, on the same disk; a name of its own beside the target where left out.
    before
        Called when all is on the disk, right before the renaming.
    """
    if part is None:
        part = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield part
        flush(part)
        before()
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Have the system put a file, or the names in a folder, onto the disk (Windows cannot open folders)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() and os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
