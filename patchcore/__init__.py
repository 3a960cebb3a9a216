"""PatchCore for industrial visual inspection (arXiv 2106.08265): NumPy in, NumPy out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from patchcore.kernels.native_threads import prepare

if TYPE_CHECKING:
    from patchcore.detector import PatchCore
    from patchcore.errors import PatchCoreError
    from patchcore.images.reading import read_image
    from patchcore.inspection import inspect

prepare()

__version__ = "0.1.0"
__all__ = ["PatchCore", "PatchCoreError", "__version__", "inspect", "read_image"]

# Looked up at first use, so that reading an image or a header does not wait for torch.
_HOMES = {
    "PatchCore": "detector",
    "PatchCoreError": "errors",
    "inspect": "inspection",
    "read_image": "images.reading",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'patchcore' has no attribute {name!r}")
    return getattr(import_module(f"patchcore.{_HOMES[name]}"), name)
