"""Owns the children in which unknown image files are decoded: few, started with the first file, for all threads."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from patchcore.images.decoding.allowance import Allowance, crashed, no_turn
from patchcore.images.decoding.warm_child import Ended, WarmChild
from patchcore.images.raw_image import Limits, RawImage

MOST = 2  # children of a process; one file that takes long does not hold up the others


class Pool:
    """Decodes files in at most so many children at a time.

    Parameters
    ----------
    most
        Number of children.
    allowance
        Time and memory of each file.
    """

    def __init__(self, most: int = MOST, allowance: Allowance = Allowance()) -> None:  # noqa: B008 - frozen
        self._most, self.allowance = most, allowance
        self._forget()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def decode(self, kind: str, data: bytes, name: str, limits: Limits) -> RawImage:
        """Decode a file in a child; results and errors are those of `decoders.decode`.

        A file whose child dies is decoded in another one, since the file need not be the reason.

        Raises
        ------
        ImageError
            The file is no picture within the limits, passed its allowance, ended two children, or found none free.
        WorkerLost
            No child can be started.
        """
        for is_last in (False, True):
            try:
                with self._child(name) as child:
                    return child.decode(kind, data, name, limits, self.allowance)
            except Ended as end:
                if is_last:
                    raise crashed(name, kind, end.exitcode) from end
        raise AssertionError("unreachable")

    @contextmanager
    def _child(self, name: str) -> Iterator[WarmChild]:
        if not self._free.acquire(timeout=self.allowance.wait):
            raise no_turn(name, self.allowance.wait)
        try:
            child = self._warm() or WarmChild()
            try:
                yield child
            finally:
                self._idle.append(child)
        finally:
            self._free.release()

    def _warm(self) -> WarmChild | None:
        """Take the child that was used last; dead ones are given up."""
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            child.end()
        return None

    @property
    def pids(self) -> list[int]:
        """The numbers of the children that wait for a file."""
        return [child.pid for child in self._idle if child.is_alive]

    def close(self) -> None:
        """End the children; the next file starts another one."""
        while self._idle:
            self._idle.pop().leave()

    def _forget(self) -> None:
        """Leave the children to the process that started them; a fork of it has its own."""
        self._free = BoundedSemaphore(self._most)
        self._idle: list[WarmChild] = []


POOL = Pool()
"""The children of this process."""
