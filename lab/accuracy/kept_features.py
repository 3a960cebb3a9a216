"""A detector that stores the features of its images, so that another seed or share is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore import PatchCore, read_image
from patchcore.fitting.sources import Source
from patchcore.images.geometry import place
from patchcore.images.reading import LoadedImage
from patchcore.scoring import ImagePatches


class KeptFeatures(PatchCore):
    """A detector that reads stored patch features from a folder, and stores missing ones.

    Parameters
    ----------
    folder
        Holds the features of one set; a subfolder for each network, its layers, size and geometry.
    **settings
        As for :class:`patchcore.PatchCore`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(**settings)
        self.folder = folder / self.settings.features_key(self.backbone_.sha256, b"")[:16]

    def build(self, images: list[tuple[str, Source]]) -> KeptFeatures:
        """Fit on good images."""
        self.fit(images, scratch=self.folder / "good")
        return self

    def patches(self, image: Source | LoadedImage) -> ImagePatches:
        """Give an image's patch features, computed once."""
        loaded = image if isinstance(image, LoadedImage) else read_image(image)
        path = self.folder / "scored" / f"{loaded.record.sha256}.npz"
        if path.exists():
            with np.load(path) as kept:
                features: NDArray[np.float32] = kept["features"]
                inspected: NDArray[np.bool_] = kept["inspected"]
            size = (loaded.record.height, loaded.record.width)
            placement = place(size, self.settings.geometry_of_input())
            return ImagePatches(features, inspected, loaded.record, placement)
        found = super().patches(loaded)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, features=found.features, inspected=found.inspected)
        part.replace(path)
        return found
