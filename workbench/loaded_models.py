"""Fitted models in memory: the last few, each at the shares it was used at last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patchcore.detector import PatchCore

MODELS_IN_MEMORY = 2
_File = tuple[Path, int, int]


class LoadedModels:
    """The models used last: loading checks every byte and loads a network, which a slider must not wait for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whole: OrderedDict[_File, PatchCore] = OrderedDict()
        self._sliced: OrderedDict[tuple[_File, float], PatchCore] = OrderedDict()

    def at_share(self, path: Path, weights: str | None, share: float) -> PatchCore:
        """Return a model at a share of all patches."""
        from patchcore.detector import PatchCore  # late: PyTorch comes with it, and most pages need none

        file = _identity(path)
        key = (file, share)
        with self._lock:
            if file not in self._whole:
                self._whole[file] = PatchCore.load(path, weights=weights)
            whole = _latest(self._whole, file)
            if key not in self._sliced:
                self._sliced[key] = whole.with_coreset(share)
            return _latest(self._sliced, key)


def _identity(path: Path) -> _File:
    """Tell a file from one that lay in its place before: an inspector may be deleted for good and built again."""
    try:
        found = path.stat()
    except OSError:
        return path, 0, 0  # loading it says what is wrong
    return path, found.st_mtime_ns, found.st_size


def _latest(models: OrderedDict[Any, PatchCore], key: object) -> PatchCore:
    """Return one, now the last used, and let go of those used least recently."""
    models.move_to_end(key)
    while len(models) > MODELS_IN_MEMORY:
        models.popitem(last=False)
    return models[key]


LOADED = LoadedModels()
