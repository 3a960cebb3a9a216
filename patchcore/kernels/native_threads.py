"""What this process asks of the C libraries under torch, before torch is loaded; only those of Linux listen."""

import ctypes
import os

# How often a thread looks for its next piece of work before it sleeps. GNU's OpenMP looks for milliseconds, in which
# it keeps the core from whoever has the work: two processes that compute on two cores then take 70 times as long.
SPINS = 10_000
# Freed memory is kept up to this for what comes next: fresh memory is cleared, page by page, before it is given out.
KEPT = 256 * 2**20
IN_ONE_PIECE = 32 * 2**20  # pieces from here on are given back at once
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)


def prepare() -> None:
    """Ask for short waits between threads and for freed memory to be kept, where the environment says nothing."""
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    if not os.environ.keys() & {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}:
        keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory; return whether it could be asked to."""
    try:
        ask = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not GNU's
        return False
    return bool(ask(_MMAP_THRESHOLD, IN_ONE_PIECE)) and bool(ask(_TRIM_THRESHOLD, KEPT))
