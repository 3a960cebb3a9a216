"""Industrial visual inspection by PatchCore (arXiv 2106.08265), PaDiM or SPADE: NumPy in, NumPy out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from patchcore.kernels.cache_folders import prepare_caches
from patchcore.kernels.native_threads import prepare

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.errors import PatchCoreError
    from patchcore.images.reading import read_image
    from patchcore.inspection import inspect
    from patchcore.padim import PaDiM
    from patchcore.patchcore import PatchCore
    from patchcore.spade import SPADE

prepare()
prepare_caches()

__version__ = "0.1.0"
__all__ = [
    "SPADE",
    "Detector",
    "PaDiM",
    "PatchCore",
    "PatchCoreError",
    "__version__",
    "inspect",
    "read_image",
]

# Looked up at first use, so that reading an image or a header does not wait for torch.
_HOMES = {
    "SPADE": "spade",
    "Detector": "detector",
    "PaDiM": "padim",
    "PatchCore": "patchcore",
    "PatchCoreError": "errors",
    "inspect": "inspection",
    "read_image": "images.reading",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'patchcore' has no attribute {name!r}")
    return getattr(import_module(f"patchcore.{_HOMES[name]}"), name)
