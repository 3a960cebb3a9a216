"""A build's context, which every stage needs: backbone, settings, region, callbacks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone
from patchcore.errors import Cancelled
from patchcore.features import patch_features
from patchcore.images.geometry import Prepared
from patchcore.settings import Settings

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); total is 0 while unknown."""

CORESET_MEMORY = 4 * 2**30  # bytes while choosing: 7 million patches; the choice among more is divided


@dataclass(frozen=True)
class FittingRun:
    """Backbone, settings and callbacks of one build."""

    backbone: Backbone
    settings: Settings
    roi: NDArray[np.bool_] | None = None
    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None
    coreset_memory: int = CORESET_MEMORY

    def report(self, stage: str, done: int, total: int) -> None:
        """Report progress to the caller, and stop if the caller asks for it."""
        if self.progress:
            self.progress(stage, done, total)
        if self.cancelled and self.cancelled():
            raise Cancelled(f"Stopped while working on {stage}.")

    def features(self, prepared: Prepared) -> NDArray[np.float32]:
        """Patch features of a prepared image: [rows, cols, dims]."""
        return patch_features(self.backbone, prepared.input, self.settings.dims)
