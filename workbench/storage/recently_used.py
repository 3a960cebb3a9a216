"""A cache that evicts the least recently used value beyond a number of values or of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """A cache of values that are costly to make; the newest value stays, however large. Threads may share it.

    Parameters
    ----------
    most
        The largest number of values; with `size`, the largest sum of sizes.
    size
        Returns the size of a value.
    """

    def __init__(self, most: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._most, self._size = most, size
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, or make it; other threads are not blocked meanwhile."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        return self.put(key, make())

    def __contains__(self, key: Hashable) -> bool:
        """Whether the value of a key is held; that does not count as a use."""
        with self._lock:
            return key in self._held

    def put(self, key: Hashable, value: Value) -> Value:
        """Store the value of a key, replacing an older one, and return it."""
        with self._lock:
            if key in self._held:
                self._total -= self._size(self._held.pop(key))
            self._held[key] = value
            self._total += self._size(value)
            while self._total > self._most and len(self._held) > 1:
                self._total -= self._size(self._held.popitem(last=False)[1])
        return value
