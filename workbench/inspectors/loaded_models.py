"""Fitted models in memory: the last few, each at its last used shares."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from patchcore.methods import SHARE
from workbench.storage.recently_used import Latest

if TYPE_CHECKING:
    from patchcore.detector import Detector

MODELS_IN_MEMORY = 2
_File = tuple[Path, int, int]


class LoadedModels:
    """A cache of models: loading checks every byte and loads a network, and a slider must not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whole: Latest[Detector] = Latest(MODELS_IN_MEMORY)
        self._sliced: Latest[Detector] = Latest(MODELS_IN_MEMORY)

    def at_share(self, path: Path, weights: str | None, share: float) -> Detector:
        """Return a model at a share of all patches; as it is where its method keeps no coreset."""
        from patchcore.detector import Detector  # late: PyTorch comes with it, and most pages need none

        file = _identity(path)
        with self._lock:  # of two threads that need the same model, one loads it
            whole = self._whole.get(file, lambda: Detector.load(path, weights=weights))
            if SHARE not in whole.capabilities:
                return whole
            return self._sliced.get((file, share), lambda: whole.with_coreset(share))


def _identity(path: Path) -> _File:
    """Return a key that changes with the file: an inspector may be deleted for good and built again."""
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0  # loading reports the fault
    return path, found.st_mtime_ns, found.st_size


LOADED = LoadedModels()
