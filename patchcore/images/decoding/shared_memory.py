"""Owns the memory that two processes map: bytes of a file on the way there, samples and a size on the way back.

No name of it lies on any disk, so that nothing is left behind when both processes are killed.
"""

import contextlib
import mmap
import os
import tempfile

SMALLEST = 1 << 20  # bytes
KEPT = 1 << 26  # bytes; a larger block is given back after use


class SharedBlock:
    """Bytes that grow on demand, in steps that both processes know.

    Parameters
    ----------
    file
        Descriptor of a file without a name, which the other process inherits; -1 on Windows.
    tag
        Name of the mapping on Windows, which ends with the last process that has it open.
    """

    def __init__(self, file: int, tag: str) -> None:
        self.file, self._tag = file, tag
        self._mapped: mmap.mmap | None = None

    @property
    def capacity(self) -> int:
        """Bytes that are mapped."""
        return 0 if self._mapped is None else len(self._mapped)

    def holding(self, size: int) -> mmap.mmap:
        """Return the mapped bytes, at least so many; their content is lost where the block grows."""
        return self.mapped(max(self.capacity, SMALLEST, 1 << (size - 1).bit_length() if size else 0))

    def mapped(self, capacity: int) -> mmap.mmap:
        """Return the bytes at a capacity that the other process has named."""
        if self._mapped is None or self.capacity != capacity:
            self._unmap()
            self._mapped = _map(self.file, f"{self._tag}-{capacity}", capacity)
        return self._mapped

    def shrink(self) -> None:
        """Give a large block back to the system; the other process must be idle."""
        if self.capacity > KEPT:
            self._unmap()
            if self.file >= 0:
                os.ftruncate(self.file, 0)

    def close(self) -> None:
        """Give the block up."""
        self._unmap()
        if self.file >= 0:
            with contextlib.suppress(OSError):
                os.close(self.file)
            self.file = -1

    def _unmap(self) -> None:
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None


class DeclaredPixels:
    """The largest size that the header of a file has declared so far, which a thread of the parent reads.

    Parameters
    ----------
    file, tag
        As for `SharedBlock`.
    """

    def __init__(self, file: int, tag: str) -> None:
        self.file = file
        self._mapped = _map(file, f"{tag}-pixels", mmap.PAGESIZE)

    @property
    def count(self) -> int:
        """Pixels."""
        return int.from_bytes(self._mapped[:8], "little")

    @count.setter
    def count(self, pixels: int) -> None:
        self._mapped[:8] = pixels.to_bytes(8, "little")

    def close(self) -> None:
        """Give the file up; the mapping ends with its last reader."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def unnamed_file(tag: str) -> int:
    """Return the descriptor of a file that only this process and its child know; -1 on Windows."""
    if os.name == "nt":
        return -1
    if hasattr(os, "memfd_create"):  # Linux: unlike /dev/shm, which containers keep small
        return os.memfd_create(tag)
    with tempfile.TemporaryFile() as unnamed:
        return os.dup(unnamed.fileno())


def _map(file: int, tag: str, capacity: int) -> mmap.mmap:
    if file < 0:
        return mmap.mmap(-1, capacity, tagname=tag)  # type: ignore[call-arg,unused-ignore]
    if os.fstat(file).st_size < capacity:
        os.ftruncate(file, capacity)
    return mmap.mmap(file, capacity)
