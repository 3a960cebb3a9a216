"""SPADE (Cohen & Hoshen 2020, arXiv 2005.02357): all patches of the good images that look most like an image."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector, Size
from patchcore.errors import DataError
from patchcore.features import deepest_part
from patchcore.files.method_rules import Header, Tensors, hold
from patchcore.files.patch_rules import PATCH_RULES
from patchcore.fitting.calibration import LeftOut
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.kernels.distances import bounds
from patchcore.kernels.search import RunningSearch, nearest_rows
from patchcore.scoring import Comparison


class SPADE(Detector):
    """Anomaly detection by the patches of the nearest good images (Cohen & Hoshen 2020, arXiv 2005.02357).

    Of all good images the K nearest are found by their pooled features (section 3.2): the mean over the inspected
    patches of the numbers that come from the deepest of the layers in use. A patch's score is its distance to the
    nearest patch, at any position, of these K images (section 3.3, with one neighbour, not squared).

    The paper scores an image by the mean distance of the pooled features to its K neighbours. Here score and map must
    agree, so the image's score is its largest patch score, as for every method; `figures` of a result has the paper's
    as "image_distance". All methods are given the same locally aware features (3x3 means, `dims` long).

    Memory: the features of all good images, in float32, in memory and in the file; :meth:`estimated_bytes` tells how
    much before the build. The search among patches runs on the CPU.

    Parameters
    ----------
    nearest_images
        K (paper: 50); all good images where there are fewer.
    backbone, weights, layers, image_size, geometry, dims, seed, value_range, device, engine
        As for :class:`patchcore.PatchCore`.

    Attributes
    ----------
    features_, images_, positions_
        [R, dims] float32, [R] int32, [R] int32: the patches of all good images, image by image, with the number of
        their image and their position on its map.
    deepest_
        Index in a feature at which the numbers of the deepest layer begin.
    """

    method = "spade"
    file_rules = PATCH_RULES

    features_: NDArray[np.float32]
    images_: NDArray[np.int32]
    positions_: NDArray[np.int32]
    deepest_: int

    def estimated_bytes(self, images: int) -> int:
        """Largest number of bytes of a file built from so many images; no image is needed."""
        rows, cols, length = self.feature_shape()
        return images * rows * cols * (length * 4 + 8)

    def announcement(self, images: int) -> str:
        """Say how large the file becomes: SPADE keeps the features of every good image."""
        megabytes = self.estimated_bytes(images) / 1e6
        return (
            f"The file will take about {megabytes:,.0f} MB, and scoring as much memory: SPADE keeps every patch of the "
            f"{images:,} good images."
        )

    def learn(self, run: FittingRun, store: FeatureStore) -> None:
        """Keep the features of every good image."""
        features = np.empty((len(store), store.dims), np.float32)
        start = 0
        for done, image in enumerate(store.images):
            run.report("copying", done, len(store.images))
            features[start : start + image.count] = store.rows(image)
            start += image.count
        run.report("copying", len(store.images), len(store.images))
        counts = [image.count for image in store.images]
        self.features_ = features
        self.images_ = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
        self.positions_ = np.concatenate([image.positions for image in store.images]).astype(np.int32)
        self.deepest_ = deepest_part(run.backbone, run.settings.image_size, run.settings.dims)
        self._forget()

    def compare(
        self,
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
        own: frozenset[int] = frozenset(),
    ) -> Comparison:
        """Search the patches of the nearest good images; see :meth:`patchcore.detector.Detector.compare`."""
        others = np.setdiff1d(np.arange(len(self._pooled)), list(own))
        if not len(others):
            raise DataError(
                "it is the only good image; it can only be scored without itself once there are other good images."
            )
        pooled = features[:, self.deepest_ :].mean(0, np.float64).astype(np.float32)
        distances, found = nearest_rows(pooled[None], self._pooled[others], self.settings.nearest_images)
        search = RunningSearch(features)
        for number in np.sort(others[found[0]]).tolist():
            rows = slice(self._starts[number], self._starts[number + 1])
            search.add(self.features_[rows], rows.start, self._bounds[rows])
        patch_distances = search.distances[:, 0]
        nearest = int(search.rows[int(patch_distances.argmax()), 0])
        figures = {"image_distance": float(distances[0].mean(dtype=np.float64))}
        return Comparison(patch_distances, float(patch_distances.max()), nearest, figures)

    def origin(self, row: int) -> tuple[int, int]:
        """Return image number and position of a stored patch."""
        return int(self.images_[row]), int(self.positions_[row])

    @property
    def size(self) -> Size:
        """All patches of the good images."""
        return Size(len(self.features_), len(self.features_), self.features_.nbytes)

    def learned(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the patches of all good images and the good scores as arrays."""
        return {
            "spade.features": self.features_,
            "spade.images": self.images_,
            "spade.positions": self.positions_,
            **self.scored_parts(),
        }, {"deepest": self.deepest_}

    def restore(self, tensors: Tensors, header: Header) -> None:
        """Take over patches and good scores, each checked against the others."""
        hold(self.file_rules.rules(tensors, header))
        self.features_, self.images_ = tensors["spade.features"], tensors["spade.images"]
        self.positions_, self.deepest_ = tensors["spade.positions"], header["deepest"]
        self._left_out, self._session_left_out = LeftOut.of(tensors)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """[images + 1]: where each image's rows begin."""
        return np.searchsorted(self.images_, np.arange(len(self.image_records_) + 1))

    @cached_property
    def _bounds(self) -> NDArray[np.float32]:
        """[R], see :func:`patchcore.kernels.distances.bounds`."""
        return bounds(self.features_)

    @cached_property
    def _pooled(self) -> NDArray[np.float32]:
        """[images, dims of the deepest layer]: means over each image's patches."""
        deepest = self.features_[:, self.deepest_ :]
        ends = zip(self._starts[:-1], self._starts[1:], strict=True)
        return np.stack([deepest[a:b].mean(0, np.float64) for a, b in ends]).astype(np.float32)

    def _forget(self) -> None:
        """Drop arrays computed from the features of an earlier build."""
        for name in ("_starts", "_bounds", "_pooled"):
            self.__dict__.pop(name, None)
