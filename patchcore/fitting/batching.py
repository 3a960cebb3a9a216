"""Several images through the network at once while a bank is built, where that changes no bit of their features.

A network's weights are read from memory once for all of them, which saves about a seventh of its time. A good image
is scored by itself later, and has to get the very features that it was built from; so one batch is computed both ways
first, and images go on by themselves where the two differ.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone
from patchcore.features import features_of_batch, patch_features

AT_ONCE, SIDE = 4, 224  # images of so many px a side; of larger ones fewer, the caches being as they are
WORTH_IT = 32  # images from which on the batch that is computed both ways pays


class AtOnce:
    """Computes features of images in batches.

    Parameters
    ----------
    backbone
        Network to run.
    side
        Of the images, px.
    dims
        Length of a feature, as in :func:`~patchcore.features.embed`.
    expected
        How many images are to come; 0 while unknown.
    """

    def __init__(self, backbone: Backbone, side: int, dims: int | None, expected: int) -> None:
        self.backbone, self.dims = backbone, dims
        alone = backbone.device.type != "cpu" or backbone.engine is not None or expected < WORTH_IT
        self.size = 1 if alone else max(1, min(AT_ONCE, AT_ONCE * SIDE**2 // side**2))
        self._tried = self.size == 1

    def features(self, images: list[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Compute patch features [rows, cols, dims] of each image [S, S, 3], in their order."""
        if len(images) < self.size or self.size == 1:
            for image in images:
                yield patch_features(self.backbone, image, self.dims)
            return
        together = features_of_batch(self.backbone, np.stack(images), self.dims)
        if not self._tried:
            self._tried = True
            alone = np.stack([patch_features(self.backbone, image, self.dims) for image in images])
            if not np.array_equal(alone, together):
                self.size, together = 1, alone
        yield from together
