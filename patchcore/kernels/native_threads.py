"""Settings of the C libraries under torch, made before torch is loaded; only Linux's libraries obey them."""

import ctypes
import os

# Number of checks for new work before a thread sleeps. GNU's OpenMP checks for milliseconds and holds the core
# meanwhile: two processes that compute on two cores then take 70 times as long.
SPINS = 10_000
# Freed memory up to this size is kept for reuse: the system clears fresh memory page by page.
REUSED_BYTES = 256 * 2**20
IN_ONE_PIECE = 32 * 2**20  # larger pieces are returned to the system at once
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)


def prepare() -> None:
    """Set short waits between threads and keep freed memory, unless the environment decides otherwise."""
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    if not os.environ.keys() & {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}:
        keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory; return whether it supports this."""
    try:
        ask = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not GNU's
        return False
    return bool(ask(_MMAP_THRESHOLD, IN_ONE_PIECE)) and bool(ask(_TRIM_THRESHOLD, REUSED_BYTES))
