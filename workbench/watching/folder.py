"""A watched folder: which files in it are new and written completely, told by looking at it again and again.

Folders on a network share give no events, so the folder is listed, once an interval at most. A file counts as written
completely when its size and time of change were the same over two looks at least `settle` seconds apart, and nobody
has it open for writing where that can be told. Hidden files, links, and names that programs give to what they are
still writing are passed over.
"""

import errno
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from patchcore.errors import NoImagesError
from patchcore.images.file_names import IMAGE_SUFFIXES, display_name, is_hidden

PROVISIONAL = (".part", ".tmp", ".temp", ".partial", ".filepart", ".crdownload", "~")
SETTLE, INTERVAL, BROKEN_AFTER = 1.0, 0.5, 30.0  # seconds
BUSY_SHARE = 0.1  # of the time, at most, that is spent on listing the folder while images are waiting


class FileKey(NamedTuple):
    """One state of a file; the same name with another size or time of change is another file to be scored."""

    path: str  # from the folder, with forward slashes
    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class Arrived:
    """A file that seems to be written completely.

    Attributes
    ----------
    key, path
        What it is called, and where it lies.
    last_try
        Whether it has been the same for so long that what cannot be read of it by now never will be.
    """

    key: FileKey
    path: Path
    last_try: bool


@dataclass
class _Sight:
    """A file that has been seen and not been done with: since when it is the same, and when to try it."""

    key: FileKey
    since: float
    due: float


class Watcher:
    """Looks at a folder and tells which images have arrived.

    Parameters
    ----------
    folder
        What to look at.
    seen
        Whether a file has been done with already; asked once for each state of each file.
    settle
        Seconds for which a file must have been the same.
    interval
        Seconds between two looks at least; never less than the last look took.
    broken_after
        Seconds for which a file that cannot be read must have been the same until it is called broken.
    subfolders
        Whether to look into folders below, at any depth; links are not followed.
    exclude
        Folders not to look into.
    clock
        Seconds that only go forward.

    Attributes
    ----------
    away
        Why the folder could not be listed at the last look; empty when it could. It may go away and come back.
    """

    def __init__(
        self,
        folder: Path,
        seen: Callable[[FileKey], bool],
        *,
        settle: float = SETTLE,
        interval: float = INTERVAL,
        broken_after: float = BROKEN_AFTER,
        subfolders: bool = False,
        exclude: Iterable[Path] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.settle, self.interval, self.broken_after = settle, interval, broken_after
        self.subfolders = subfolders
        self.exclude = frozenset(_without(folder.resolve(), place.resolve()) for place in exclude)
        self.away = ""
        self.listing_seconds = 0.0
        self._seen, self._clock = seen, clock
        self._sights: dict[str, _Sight] = {}
        self._done: dict[str, FileKey] = {}

    def look(self) -> list[Arrived]:
        """List the folder once and return what is ready to be read, oldest first; nothing while it is away."""
        began = self._clock()
        try:
            found = {key.path: (key, path) for key, path in self._list()}
        except OSError as fault:
            self.away = fault.strerror or type(fault).__name__
            return []
        finally:
            self.listing_seconds = self._clock() - began
        self.away = ""
        self._compare(found)
        now = self._clock()
        ready = sorted(
            (sight for sight in self._sights.values() if now >= sight.due),
            key=lambda sight: (sight.key.mtime_ns, sight.key.path),
        )
        return [
            Arrived(sight.key, Path(found[sight.key.path][1]), now - sight.since >= self.broken_after)
            for sight in ready
        ]

    def pause(self) -> float:
        """Return how many seconds to wait until the next look when there is nothing to do."""
        return max(self.interval, self.listing_seconds)

    def patience(self) -> float:
        """Return for how many seconds to work on what one look has found until the next one."""
        return max(self.interval, self.listing_seconds / BUSY_SHARE)

    def waiting(self) -> set[str]:
        """Return the files that the last look saw and that have not been done with."""
        return set(self._sights)

    def done(self, key: FileKey) -> None:
        """Forget a file that has its verdict; `seen` must know it from now on."""
        self._sights.pop(key.path, None)
        self._done[key.path] = key

    def retry(self, key: FileKey) -> None:
        """Try a file again later, less and less often, and for the last time when it has long been the same."""
        sight = self._sights.get(key.path)
        if sight is not None and sight.key == key:
            now = self._clock()
            later = now + max(self.settle, self.interval, (now - sight.since) / 2)
            last = sight.since + self.broken_after
            sight.due = min(later, last) if now < last else later

    def read(self, arrived: Arrived) -> bytes | None:
        """Return a file's bytes; None when it turns out to be another by now, or is still being written.

        Raises
        ------
        ImageTooLarge
            When it is larger than any image may be.
        OSError
            When it cannot be opened or read.
        """
        from patchcore.images.reading import check_weight  # late: PyTorch comes with it

        check_weight(arrived.key.size, display_name(arrived.key.path))
        try:
            with arrived.path.open("rb") as file:
                if not _is(os.fstat(file.fileno()), arrived.key):
                    return None
                if not arrived.last_try and _is_open_for_writing(file.fileno()):
                    return None
                data = file.read()
                return data if _is(os.fstat(file.fileno()), arrived.key) else None
        except FileNotFoundError:
            return None

    def is_there(self) -> bool:
        """Whether the folder can be listed at this moment."""
        try:
            with os.scandir(self.folder) as entries:
                next(entries, None)
        except OSError:
            return False
        return True

    def _compare(self, found: dict[str, tuple[FileKey, str]]) -> None:
        now, before = self._clock(), self._sights
        known = {
            path: key for path, (key, _) in found.items() if self._done.get(path) == key or self._seen(key)
        }
        self._sights = {}
        for path, (key, _) in found.items():
            if path not in known:
                sight = before.get(path)
                same = sight is not None and sight.key == key
                self._sights[path] = sight if sight and same else _Sight(key, now, now + self.settle)
        self._done = known

    def _list(self) -> Iterator[tuple[FileKey, str]]:
        """Yield what might be an image, in its present state, with its path."""
        folders = [(os.fspath(self.folder), "")]
        while folders:
            here, below = folders.pop()
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        if is_hidden((entry.name,)) or entry.is_symlink():
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            if self.subfolders and below + entry.name not in self.exclude:
                                folders.append((entry.path, f"{below}{entry.name}/"))
                        elif _is_image_name(entry.name):
                            key = _key(entry, below + entry.name)
                            if key is not None:
                                yield key, entry.path
            except OSError:
                if not below:
                    raise  # the share is away; a folder below may only have been deleted meanwhile


def _without(folder: Path, place: Path) -> str:
    """Return a place as it is seen from a folder; as it is where it lies elsewhere."""
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)


def require_folder(folder: Path) -> None:
    """Refuse to begin watching a folder that is not there.

    Raises
    ------
    NoImagesError
        When it is not.
    """
    if not folder.is_dir():
        raise NoImagesError(
            f"{display_name(str(folder))} is not a folder on this machine. Check the path, and that the share it "
            "lies on is connected."
        )


def is_provisional(name: str) -> bool:
    """Tell whether a name is one that programs give to what they are still writing."""
    stem = os.path.splitext(name)[0].lower()  # noqa: PTH122 - of tens of thousands of names, many times a minute
    return name.startswith("~") or stem.endswith(PROVISIONAL) or name.lower().endswith(PROVISIONAL)


def _is_image_name(name: str) -> bool:
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    return suffix in IMAGE_SUFFIXES and not is_provisional(name)


def _key(entry: os.DirEntry[str], name: str) -> FileKey | None:
    try:
        # On Windows a listing's own figures may lag behind while a file is written.
        status = Path(entry.path).lstat() if os.name == "nt" else entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileKey(name, status.st_size, status.st_mtime_ns)


def _is(status: os.stat_result, key: FileKey) -> bool:
    return (status.st_size, status.st_mtime_ns) == (key.size, key.mtime_ns)


def _is_open_for_writing(descriptor: int) -> bool:
    """Tell whether some process has a file open for writing, where the system says so for nothing (Linux).

    A read lease is refused while anybody does. It is given back at once; a writer who comes in between is kept waiting
    for that instant, and the signal about it is one that does nothing.
    """
    try:
        import fcntl
    except ImportError:
        return False
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as fault:
        return fault.errno == errno.EAGAIN  # anything else: another's file, or a file system without leases
    return False
