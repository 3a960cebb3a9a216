"""Elapsed time without a clock of the day: how long a value has stood unchanged, as one observer saw it."""

import time
from collections.abc import Callable, Hashable
from datetime import timedelta


class Unchanged:
    """Measures for how long values have stood unchanged.

    A heartbeat or a request carries a time of day, by a clock that may be set meanwhile, or by another computer's. An
    observer that remembers when it first saw the present value needs neither.

    Parameters
    ----------
    clock
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: dict[Hashable, tuple[object, float]] = {}

    def time(self, *name_and_value: Hashable) -> timedelta:
        """Return the time since the value of a name was first seen; the last argument is the value."""
        *name, value = name_and_value
        key = tuple(name)
        if key not in self._first or self._first[key][0] != value:
            self._first[key] = (value, self._clock())
        return timedelta(seconds=self._clock() - self._first[key][1])

    def forget(self, *name: Hashable) -> None:
        """Forget the values of all names that begin so."""
        for key in [key for key in self._first if isinstance(key, tuple) and key[: len(name)] == name]:
            del self._first[key]
