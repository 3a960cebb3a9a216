"""Detectors that keep the features of the images that they are built on and score: other seeds and shares are quick."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector
from patchcore.fitting.sources import Source
from patchcore.images.geometry import place
from patchcore.images.reading import LoadedImage, read_image
from patchcore.methods import detector_class
from patchcore.scoring import ImagePatches


class KeptFeatures(Detector):
    """A detector that reads stored patch features from a folder, and stores missing ones.

    Attributes
    ----------
    folder
        Holds the features of one set; a subfolder for each network, its layers, size and geometry.
    """

    folder: Path

    def patches(self, image: Source | LoadedImage) -> ImagePatches:
        """Return an image's patch features, computed once."""
        loaded = image if isinstance(image, LoadedImage) else read_image(image)
        path = self.folder / "scored" / f"{loaded.record.sha256}.npz"
        if path.exists():
            with np.load(path) as kept:
                features: NDArray[np.float32] = kept["features"]
                inspected: NDArray[np.bool_] = kept["inspected"]
                measures: NDArray[np.float64] = kept["measures"]
            size = (loaded.record.height, loaded.record.width)
            placement = place(size, self.settings.geometry_of_input())
            return ImagePatches(features, inspected, loaded.record, placement, measures)
        found = super().patches(loaded)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, features=found.features, inspected=found.inspected, measures=found.measures)
        part.replace(path)
        return found


def with_kept_features(folder: Path, method: str, **settings: Any) -> KeptFeatures:
    """Return a detector of a method, not fitted yet, that keeps its features in a folder.

    Parameters
    ----------
    folder
        Holds the features of one set.
    method
        Name in the registry of `patchcore.methods`.
    **settings
        As for the method's class.
    """
    kind: type[KeptFeatures] = type("Kept", (KeptFeatures, detector_class(method)), {})
    model = kind(**settings)
    model.folder = folder / model.settings.features_key(model.backbone_.sha256, b"")[:16]
    return model
