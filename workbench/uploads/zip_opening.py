"""Opens zip archives of strangers: entries are counted before they are listed, and none may lie upon another."""

import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from patchcore.errors import PatchCoreError

# What zipfile raises on damaged, encrypted and exotic entries.
ENTRY_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
MOST_RATIO = 200  # unpacked to packed size
RATIO_FROM = (
    64 * 2**20
)  # bytes; so much any archive may unpack to, since small plain pictures pack a thousandfold
_ENTRY = b"PK\x01\x02"
_ENTRY_HEAD, _LOCAL_HEAD = 46, 30  # bytes
_LONGEST_ENTRY = 1024  # bytes of the directory, on average
_TAIL = 1 << 17  # bytes that zipfile reads in search of the directory


class BadArchive(PatchCoreError):
    """An archive that is refused as a whole; the message is a sentence without its name."""


def open_zip(archive: Path | BinaryIO, most_entries: int) -> zipfile.ZipFile:
    """Open an archive for reading; the caller closes it.

    Parameters
    ----------
    archive
        A file on disk, or a seekable binary stream.
    most_entries
        Folders count too.

    Raises
    ------
    BadArchive
        It has more entries, or entries that share bytes.
    FileNotFoundError
        There is no such file.
    ENTRY_FAULTS
        It is damaged.
    """
    file = _Counted(archive, most_entries)
    try:
        opened = _Zip(file)
        _refuse_overlaps(opened)
    except BaseException:
        file.close()
        raise
    return opened


def require_plausible_total(unpacked: int, packed: int) -> None:
    """Refuse an archive of `packed` bytes that unpacks to far more, as its directory says.

    Raises
    ------
    BadArchive
        More than `MOST_RATIO` times its size, and more than `RATIO_FROM` bytes.
    """
    if unpacked > max(RATIO_FROM, MOST_RATIO * packed):
        raise BadArchive(
            f"it unpacks to {unpacked:,} bytes, more than {MOST_RATIO} times its own {packed:,}, as a zip bomb does. "
            "Hand in the images unpacked."
        )


def _refuse_overlaps(opened: zipfile.ZipFile) -> None:
    """Refuse entries that share bytes with each other or with the directory: few bytes would unpack again and again."""
    entries = sorted(opened.infolist(), key=lambda entry: entry.header_offset)
    ends = [entry.header_offset + _LOCAL_HEAD + entry.compress_size for entry in entries]
    starts = [entry.header_offset for entry in entries[1:]]
    beyond = bool(ends) and ends[-1] > getattr(opened, "start_dir", ends[-1])
    if beyond or any(end > start for end, start in zip(ends, starts, strict=False)):
        raise BadArchive("its entries overlap each other, as in a zip bomb. Pack it again.")


class _Counted:
    """A file that counts the entries of an archive's directory as zipfile reads it, before objects are made of them."""

    def __init__(self, archive: Path | BinaryIO, most: int) -> None:
        self._file: BinaryIO = archive.open("rb") if isinstance(archive, Path) else archive
        self._is_own, self._most = isinstance(archive, Path), most
        self.counts = True

    def read(self, size: int = -1) -> bytes:
        if self.counts and size > max(_LONGEST_ENTRY * self._most, _TAIL):
            raise BadArchive(f"its directory has {size:,} bytes, far too many. Split it.")
        data = self._file.read(size)
        if self.counts and data.startswith(_ENTRY):
            self._count(data)
        return data

    def _count(self, data: bytes) -> None:
        at = count = 0
        while data[at : at + 4] == _ENTRY and at + _ENTRY_HEAD <= len(data):
            at += _ENTRY_HEAD + sum(struct.unpack_from("<HHH", data, at + 28))
            count += 1
        if count > self._most:
            raise BadArchive(f"it holds {count:,} files; the limit is {self._most:,}. Split it.")

    def close(self) -> None:
        if self._is_own:
            self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Zip(zipfile.ZipFile):
    """An archive that closes the file that was opened for it."""

    def __init__(self, file: _Counted) -> None:
        self._counted = file
        super().__init__(file)  # it reads, seeks and tells
        file.counts = False

    def close(self) -> None:
        super().close()
        self._counted.close()
