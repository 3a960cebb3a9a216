"""A watched folder: which files in it are new and completely written, found by listing it repeatedly.

Folders on a network share give no events, so the folder is listed, once an interval at most. A file counts as
completely written when its size and time of change were the same over two looks at least `settle` seconds apart, and,
on Linux, no process has it open for writing. Hidden files, links, and names of unfinished files (`PROVISIONAL`) are
skipped. A folder below whose name says that it holds masks (`patchcore.labels.words`) is skipped and named.
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
from patchcore.images.file_names import IMAGE_SUFFIXES, display_name, is_folder, is_hidden
from patchcore.labels.layout import few
from patchcore.labels.words import is_mask_folder

PROVISIONAL = (".part", ".tmp", ".temp", ".partial", ".filepart", ".crdownload", "~")
SETTLE, INTERVAL, BROKEN_AFTER = 1.0, 0.5, 30.0  # seconds
BUSY_SHARE = 0.1  # largest share of the time spent on listing the folder while images are waiting


class FileKey(NamedTuple):
    """One state of a file. The same name with another size or time of change is another file to score."""

    path: str  # from the folder, with forward slashes
    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True)
class ArrivedFile:
    """A file that seems completely written.

    Attributes
    ----------
    key, path
        Its name and state, and its place.
    last_try
        Whether the file has been unchanged for so long that an unreadable one counts as broken.
    """

    key: FileKey
    path: Path
    last_try: bool


@dataclass
class _Sight:
    """A listed file without a verdict: since when it is unchanged, and when to read it."""

    key: FileKey
    since: float
    due: float


class Watcher:
    """Lists a folder and returns the images that have arrived.

    Parameters
    ----------
    folder
        The watched folder.
    has_verdict
        Whether a file has its verdict already; called once for each state of each file.
    settle
        Seconds for which a file must have been unchanged.
    interval
        Least number of seconds between two looks; never less than the last look took.
    broken_after
        Seconds for which an unreadable file must have been unchanged before it counts as broken.
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
    images
        Number of image files at the last look, with or without a verdict.
    """

    def __init__(
        self,
        folder: Path,
        has_verdict: Callable[[FileKey], bool],
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
        self.images = 0
        self.listing_seconds = 0.0
        self._has_verdict, self._clock = has_verdict, clock
        self._mask_folders: dict[str, bool] = {}  # whether it was named
        self._sights: dict[str, _Sight] = {}
        self._done: dict[str, FileKey] = {}

    def look(self) -> list[ArrivedFile]:
        """List the folder once and return the files that are ready to read, oldest first; none while it is away."""
        began = self._clock()
        try:
            found = {key.path: (key, path) for key, path in self._list()}
        except OSError as fault:
            self.away = fault.strerror or type(fault).__name__
            return []
        finally:
            self.listing_seconds = self._clock() - began
        self.away, self.images = "", len(found)
        self._compare(found)
        now = self._clock()
        ready = sorted(
            (sight for sight in self._sights.values() if now >= sight.due),
            key=lambda sight: (sight.key.mtime_ns, sight.key.path),
        )
        return [
            ArrivedFile(sight.key, Path(found[sight.key.path][1]), now - sight.since >= self.broken_after)
            for sight in ready
        ]

    def nothing_to_judge(self) -> str:
        """Return a sentence where the folder holds other files, and no images; "" where it is empty or holds images."""
        from patchcore.images.unread_files import (
            HIDDEN,
            contents_of,
            why_no_images,
        )  # late: decoders come with it

        if self.images or self.away:
            return ""
        left_out = {self.folder / place for place in self.exclude}
        contents = contents_of(self.folder, subfolders=self.subfolders, links=False, exclude=left_out)
        return why_no_images(str(self.folder), contents) if contents.keys() - {HIDDEN} else ""

    def new_mask_folders(self) -> list[str]:
        """Return a sentence on the folders of masks that were found since the last call; they are not judged."""
        new = [folder for folder, named in self._mask_folders.items() if not named]
        self._mask_folders |= dict.fromkeys(new, True)
        return [f"Folders of masks are not judged: {few(new)}."] if new else []

    def pause(self) -> float:
        """Return the seconds to wait until the next look when no file is ready."""
        return max(self.interval, self.listing_seconds)

    def patience(self) -> float:
        """Return the seconds to spend on the files of one look before the next look."""
        return max(self.interval, self.listing_seconds / BUSY_SHARE)

    def waiting(self) -> set[str]:
        """Return the files of the last look that have no verdict yet."""
        return set(self._sights)

    def done(self, key: FileKey) -> None:
        """Forget a file that has its verdict; `has_verdict` must be true of it from now on."""
        self._sights.pop(key.path, None)
        self._done[key.path] = key

    def look_again(self) -> None:
        """Ask `has_verdict` once more about every file at the next look."""
        self._done = {}

    def retry(self, key: FileKey) -> None:
        """Try a file again later, less and less often; the last try comes `broken_after` seconds after its change."""
        sight = self._sights.get(key.path)
        if sight is not None and sight.key == key:
            now = self._clock()
            later = now + max(self.settle, self.interval, (now - sight.since) / 2)
            last = sight.since + self.broken_after
            sight.due = min(later, last) if now < last else later

    def read(self, arrived: ArrivedFile) -> bytes | None:
        """Return a file's bytes; None when the file has changed since the look, or is still being written.

        Raises
        ------
        ImageTooLarge
            The file is larger than any image may be.
        OSError
            The file cannot be opened or read.
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
            path: key
            for path, (key, _) in found.items()
            if self._done.get(path) == key or self._has_verdict(key)
        }
        self._sights = {}
        for path, (key, _) in found.items():
            if path not in known:
                sight = before.get(path)
                same = sight is not None and sight.key == key
                self._sights[path] = sight if sight and same else _Sight(key, now, now + self.settle)
        self._done = known

    def _list(self) -> Iterator[tuple[FileKey, str]]:
        """Yield files whose names end as an image's, in their present state, with their paths."""
        folders = [(os.fspath(self.folder), "")]
        while folders:
            here, below = folders.pop()
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        if is_hidden((entry.name,)) or entry.is_symlink():
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            if not self.subfolders or below + entry.name in self.exclude:
                                continue
                            if is_mask_folder(entry.name):
                                self._mask_folders.setdefault(below + entry.name, False)
                            else:
                                folders.append((entry.path, f"{below}{entry.name}/"))
                        elif _is_image_name(entry.name):
                            key = _key(entry, below + entry.name)
                            if key is not None:
                                yield key, entry.path
            except OSError:
                if not below:
                    raise  # the share is away; a folder below may simply have been deleted


def _without(folder: Path, place: Path) -> str:
    """Return a place relative to a folder; its whole path where it lies elsewhere."""
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)


def require_folder(folder: Path) -> None:
    """Refuse to watch a folder that does not exist.

    Raises
    ------
    NoImagesError
        The folder does not exist.
    """
    if not is_folder(folder):
        raise NoImagesError(
            f"{display_name(str(folder))} is not a folder on this machine. Check the path, and that the share it "
            "lies on is connected."
        )


def is_provisional(name: str) -> bool:
    """Whether programs give such a name to a file that they are still writing."""
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
    """Whether a process has a file open for writing; False where the system cannot say so cheaply (only Linux can).

    Linux refuses a read lease while a process has the file open for writing. The lease is returned at once. A writer
    that comes in between waits for that instant, and its signal (SIGURG) does nothing.
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
