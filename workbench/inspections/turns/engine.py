"""The engine: one network at work at a time, and a person who waits at a page goes before the queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Engine:
    """A lock for the network, which uses all cores anyway.

    A plain lock goes to the thread that asks first, and the queue asks again at once: a person could wait for a whole
    batch. Here the queue steps back as long as a person waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._people = 0

    @contextmanager
    def for_person(self) -> Iterator[None]:
        """Hold the engine after the image in hand, before the queue's next one."""
        with self._changed:
            self._people += 1
            self._changed.wait_for(lambda: not self._busy)
            self._people -= 1
            self._busy = True
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def for_queue(self) -> Iterator[None]:
        """Hold the engine for an image, once nobody else waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._people)
            self._busy = True
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
