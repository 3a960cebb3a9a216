"""Map peaks: the lowest pixel threshold at which a stored map shows no region of a least area.

A peak is computed once for each map and area. Where a page needs those of many maps, a thread of the server computes
them and the page shows how far it is: unpacking two thousand maps takes longer than a person waits for a page.
"""

import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from patchcore.errors import PatchCoreError
from patchcore.maps.regions import clearing_threshold
from workbench.storage.map_files import highest_score, read_map
from workbench.storage.recently_used import Latest

REMEMBERED = 200_000  # numbers
AT_ONCE = 6_000_000  # pixels of maps that a page measures itself, about half a second

_peaks: Latest[float] = Latest(REMEMBERED)


@dataclass(frozen=True)
class StoredMap:
    """A map on disk.

    Attributes
    ----------
    path
        Its file.
    key
        Unique to the result it belongs to; scoring an image again gives a new key.
    pixels
        Of the image.
    name
        The image's name, for sentences.
    """

    path: Path
    key: str
    pixels: int
    name: str = field(default="", compare=False)

    def peak(self, min_area: int) -> float | None:
        """Return the lowest pixel threshold at which the map has no region of so many pixels.

        None where the file is gone or damaged: nothing is known of the image's regions then.
        """
        self.is_known(min_area)
        try:
            return _peaks.get(
                (self.path, self.key, min_area), lambda: clearing_threshold(read_map(self.path), min_area)
            )
        except (PatchCoreError, OSError, ValueError, KeyError, SyntaxError):  # as a decoder finds it
            return None

    def is_known(self, min_area: int) -> bool:
        """Whether the peak is there without unpacking the map."""
        key = self.path, self.key, min_area
        if key not in _peaks and min_area <= 1:
            with suppress(OSError):  # reading the map says what is wrong
                highest = highest_score(self.path)
                if highest is not None:
                    _peaks.put(key, highest)
        return key in _peaks


def lost_maps(maps: Iterable[StoredMap | None], min_area: int) -> list[str]:
    """Return the names of the images whose map is gone or damaged; maps that are not measured yet are read."""
    there = (one for one in maps if one is not None and not one.is_known(min_area))
    return [one.name for one in there if one.peak(min_area) is None]


@dataclass(frozen=True)
class Progress:
    """How many of the maps that a page waits for are measured."""

    done: int
    total: int


class Measuring:
    """Measures maps in one thread of the server, for all sessions; the thread ends when there is nothing to do."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[StoredMap, int]] = deque()
        self._wanted: set[tuple[StoredMap, int]] = set()
        self._unreadable: set[tuple[StoredMap, int]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def want(self, maps: Iterable[StoredMap], min_area: int) -> Progress | None:
        """Have the peaks of maps computed, unless it is quick; return how far that is, None when no page has to wait.

        A map whose file cannot be read keeps no page waiting; `lost_maps` names its image.
        """
        maps = list(maps)
        unknown = [one for one in maps if not one.is_known(min_area)]
        with self._lock:
            lacking = [one for one in unknown if (one, min_area) not in self._unreadable]
            waits = any((one, min_area) in self._wanted for one in lacking)
            if not lacking or (not waits and sum(one.pixels for one in lacking) <= AT_ONCE):
                return None
            new = [(one, min_area) for one in lacking if (one, min_area) not in self._wanted]
            self._wanted.update(new)
            self._waiting.extend(new)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="map peaks", daemon=True)
                self._thread.start()
        return Progress(len(maps) - len(lacking), len(maps))

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                work = self._waiting.popleft()
            stored, min_area = work
            try:
                readable = stored.peak(min_area) is not None
            except Exception:  # a file that is broken in a way that nobody has thought of
                readable = False
            with self._lock:
                self._wanted.discard(work)
                if not readable:
                    self._unreadable.add(work)


measuring = Measuring()
