"""Batches: several images go through the network at once during a build, where that changes no bit of their features.

A batch reads the network's weights from memory once, which saves about a seventh of its time. A good image is scored
alone later and must get the same features as in the build. Therefore the first batch is computed both ways, and where
the two differ, images go through the network one by one.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from patchcore.backbones import Backbone
from patchcore.features import features_of_batch, patch_features

# Images in a batch at this many px a side; larger images fill the caches sooner, so fewer.
AT_ONCE, SIDE = 4, 224
WORTH_IT = 32  # least number of images at which the batch computed both ways pays


class AtOnce:
    """Computes features of images in batches.

    Parameters
    ----------
    backbone
        Network to run.
    side
        Side of the images, px.
    dims
        Length of a feature, as in :func:`~patchcore.features.embed`.
    expected
        Number of images to come; 0 while unknown.
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
