"""What was used last, by key: held up to a number of things or of bytes, the least recently used let go first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """A few things that are costly to make; the last one is held however large it is. Threads may share it.

    Parameters
    ----------
    most
        How many to hold; with `size`, how much of it in all.
    size
        Measures one of them.
    """

    def __init__(self, most: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._most, self._size = most, size
        self._held: OrderedDict[Hashable, Value] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what is held under the key, or make it; others may get theirs meanwhile."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        return self.put(key, make())

    def put(self, key: Hashable, value: Value) -> Value:
        """Hold this under the key, in place of what is there, and return it."""
        with self._lock:
            if key in self._held:
                self._total -= self._size(self._held.pop(key))
            self._held[key] = value
            self._total += self._size(value)
            while self._total > self._most and len(self._held) > 1:
                self._total -= self._size(self._held.popitem(last=False)[1])
        return value
