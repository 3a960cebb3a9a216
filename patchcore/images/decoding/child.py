"""Runs in the child process: decodes one file after the other, until its parent closes the pipe or dies.

Requests and answers are lines of JSON; the file's bytes and the samples lie in shared memory.
"""

import contextlib
import gc
import json
import math
import os
import select
import signal
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import numpy as np
import psutil

from patchcore.errors import ImageError, UnreadableImage
from patchcore.images.decoding.decoders import decode
from patchcore.images.decoding.shared_memory import DeclaredPixels, SharedBlock
from patchcore.images.formats import why_damaged
from patchcore.images.raw_image import Limits, RawImage

_ALIGNED = 64  # bytes; the alpha channel begins at a multiple
_SLACK = 3.0  # seconds of processor time after which the system ends a child whose parent is gone
_UNCOLLECTED = 1 << 26  # bytes of files that tifffile's objects, which name each other, may hold on to
_FIRST_TO_GO = "800"  # of 1,000: where memory runs out, Linux ends the child, and not its parent


@dataclass(frozen=True)
class _Noting(Limits):
    """Limits that note each size that they pass, for the parent's watch."""

    declared: DeclaredPixels = field(kw_only=True)

    def check(self, name: str, width: int, height: int, bytes_per_pixel: int = 1) -> None:
        super().check(name, width, height, bytes_per_pixel)
        self.declared.count = max(self.declared.count, width * height)


_pipe: BinaryIO


def main() -> None:
    """Answer requests; the arguments are the parent's number, the name of what is shared, and its descriptors."""
    global _pipe  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which closes the pipe
    _pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not speak to the parent
    warnings.simplefilter("ignore")  # decoders warn of metadata that nothing here uses
    parent, tag, *files = sys.argv[1:]
    block, declared = SharedBlock(int(files[0]), tag), DeclaredPixels(int(files[1]), tag)
    Thread(target=_end_with_parent, args=(int(parent),), daemon=True).start()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    base = _bytes_of_data()
    _answer({"pid": os.getpid()})
    uncollected = 0
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _bound(request["seconds"], base + request["memory"])
        _answer(_answer_to(request, block, declared))
        uncollected += request["size"]
        if uncollected > _UNCOLLECTED:
            gc.collect()
            uncollected = 0


def _end_with_parent(parent: int) -> None:
    """End the process with its parent, also in the middle of a file."""
    if hasattr(select, "poll"):
        pipe = select.poll()
        pipe.register(0, 0)  # no event but the end of the pipe
        pipe.poll()
    else:
        with contextlib.suppress(psutil.Error):
            psutil.Process(parent).wait()
    os._exit(0)


def _answer(message: dict[str, Any]) -> None:
    try:
        _pipe.write(json.dumps(message).encode() + b"\n")
        _pipe.flush()
    except OSError:  # the parent is gone
        os._exit(0)


def _bound(seconds: float, memory: int) -> None:
    """Set the system's own bounds, where it has them; the parent watches as well."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    with contextlib.suppress(OSError, ValueError):  # a hard bound of the session is lower already
        most = math.ceil(used.ru_utime + used.ru_stime + seconds + _SLACK)
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _bytes_of_data() -> int:
    """Return the private memory of this process so far, as Linux bounds it; 0 elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except OSError:
        return 0


def _answer_to(request: dict[str, Any], block: SharedBlock, declared: DeclaredPixels) -> dict[str, Any]:
    try:
        raw = _decoded(request, block, declared)
        return _packed(raw, block)
    except ImageError as refused:
        of_memory = isinstance(refused.__cause__, MemoryError) and _is_own_bound(request["memory"])
        return {"error": type(refused).__name__, "reason": refused.reason, "of_memory": of_memory}
    except MemoryError:  # while the file or the samples were handed over
        return {"error": "ImageTooLarge", "reason": "", "of_memory": True}


def _decoded(request: dict[str, Any], block: SharedBlock, declared: DeclaredPixels) -> RawImage:
    kind, data = request["kind"], block.mapped(request["capacity"])[: request["size"]]
    try:
        return decode(kind, data, "", _Noting(*request["limits"], declared=declared))
    except (ImageError, MemoryError):
        raise
    except Exception as fault:  # the file is the reason, whatever a decoder raises
        raise UnreadableImage("", why_damaged(kind, data, fault)) from fault


def _is_own_bound(memory: int) -> bool:
    """Whether the child's own bound is below the memory that the system has left for it."""
    try:
        import resource
    except ImportError:
        return False
    is_free = resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    return is_free and psutil.virtual_memory().available > memory


def _packed(raw: RawImage, block: SharedBlock) -> dict[str, Any]:
    """Write samples and alpha into the block; return all else that a picture consists of."""
    arrays = [raw.samples] if raw.alpha is None else [raw.samples, raw.alpha]
    starts = [0, -(-raw.samples.nbytes // _ALIGNED) * _ALIGNED][: len(arrays)]
    mapped = block.holding(starts[-1] + arrays[-1].nbytes)
    for start, array in zip(starts, arrays, strict=True):
        np.ndarray(array.shape, array.dtype, mapped, start)[...] = array
    return {
        "capacity": block.capacity,
        "arrays": [
            (start, array.dtype.str, array.shape) for start, array in zip(starts, arrays, strict=True)
        ],
        "fields": {
            "format": raw.format,
            "channels": int(raw.channels),
            "bit_depth": int(raw.bit_depth),
            "peak": None if raw.peak is None else float(raw.peak),
            "fixed_scale": bool(raw.fixed_scale),
            "premultiplied": bool(raw.premultiplied),
            "notes": raw.notes,
            "taken": raw.taken,
        },
    }


if __name__ == "__main__":
    main()
