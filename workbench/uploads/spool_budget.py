"""The room for files on their way in: one budget of bytes for all sessions of a server."""

import shutil
from pathlib import Path
from threading import Lock

MOST_BYTES = 64 * 2**30
FREE_SHARE = 0.9  # of the disk's free bytes that may be used


class SpoolBudget:
    """Counts the bytes that each spool folder holds.

    Parameters
    ----------
    most
        Bytes of all folders together.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._held: dict[Path, int] = {}
        self._lock = Lock()

    @property
    def held(self) -> int:
        """The bytes of all folders."""
        return sum(self._held.values())

    def take(self, folder: Path, count: int) -> bool:
        """Reserve bytes for a file in a folder; False where they do not fit any more."""
        with self._lock:
            if self.held + count > self.most or count > shutil.disk_usage(folder).free * FREE_SHARE:
                return False
            self._held[folder] = self._held.get(folder, 0) + count
            return True

    def give_back(self, folder: Path, count: int | None = None) -> None:
        """Give back bytes of a folder; all of them where no number is named."""
        with self._lock:
            rest = 0 if count is None else self._held.get(folder, 0) - count
            if rest > 0:
                self._held[folder] = rest
            else:
                self._held.pop(folder, None)


spool_budget = SpoolBudget()
