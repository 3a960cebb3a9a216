"""Single precision in full on a GPU: the same numbers as on the processor, up to rounding, at every run.

By default, a GPU rounds the factors of a convolution to 10 bits of mantissa (TF32), which moves distances by a
thousandth. It may also choose other kernels, or sum in another order, each time. The process's own flags are restored
after the work.
"""

from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from types import TracebackType
from typing import Any

import torch

_CUDA: Any = torch.backends.cuda
_CUDNN: Any = torch.backends.cudnn

_FLAGS: tuple[tuple[Any, str, object], ...] = (
    (_CUDA.matmul, "fp32_precision", "ieee"),
    (_CUDNN.conv, "fp32_precision", "ieee"),
    (_CUDNN, "deterministic", True),
    (_CUDNN, "benchmark", False),
)


class _FullPrecision:
    """Sets the flags for the first thread that enters and puts them back when the last has left."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._before: list[object] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = [getattr(owner, flag) for owner, flag, _ in _FLAGS]
                for owner, flag, value in _FLAGS:
                    setattr(owner, flag, value)
            self._inside += 1

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for (owner, flag, _), value in zip(_FLAGS, self._before, strict=True):
                    setattr(owner, flag, value)


_FULL, _AS_IT_IS = _FullPrecision(), nullcontext()


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Run a block's GPU work in full single precision; costs nothing on the processor.

    Parameters
    ----------
    device
        The device of the block's work. Blocks may be nested and run in several threads.
    """
    return _FULL if device.type == "cuda" else _AS_IT_IS
