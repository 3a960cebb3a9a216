"""The files in work of this process: several at once, or one that must be alone."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class FilesInWork:
    """The files in work of this process; a file that must be alone waits for the others, and they for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._files: Counter[str] = Counter()
        self._busy = 0
        self._lonely = self._waiting = 0
        self._mine = threading.local()

    def holds(self, sha256: str) -> bool:
        """Whether a file is in work."""
        return sha256 in self._files

    @contextmanager
    def on(self, sha256: str, *, alone: bool) -> Iterator[None]:
        """Hold a file in work, without any other where it must be alone.

        A thread that has a file in work already does not wait: others may be waiting for that one.
        """
        is_inner = getattr(self._mine, "depth", 0) > 0
        with self._changed:
            if not is_inner:
                self._enter(alone)
            self._files[sha256] += 1
            self._busy += 1
        self._mine.depth = getattr(self._mine, "depth", 0) + 1
        try:
            yield
        finally:
            self._mine.depth -= 1
            with self._changed:
                self._busy -= 1
                self._lonely -= alone and not is_inner
                self._files[sha256] -= 1
                self._files = +self._files
                self._changed.notify_all()

    def _enter(self, alone: bool) -> None:
        if alone:
            self._waiting += 1  # files that come later wait behind it
            self._changed.wait_for(lambda: not self._busy)
            self._waiting -= 1
            self._lonely += 1
        else:
            self._changed.wait_for(lambda: not self._lonely and not self._waiting)


IN_WORK = FilesInWork()
