"""PaDiM (Defard et al. 2020, arXiv 2011.08785): a Gaussian of the patch features at each position of the map."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector, Size
from patchcore.errors import DataError, NoImagesError
from patchcore.files.gaussian_rules import GAUSSIAN_RULES, inverse_bytes, require_inverses
from patchcore.files.method_rules import Header, Tensors, hold
from patchcore.fitting.calibration import LeftOut
from patchcore.fitting.feature_store import FeatureStore
from patchcore.fitting.run import FittingRun
from patchcore.kernels.gaussians import FEWEST, Gaussians, nearest_known
from patchcore.labels.sessions import SessionGroups
from patchcore.scoring import Comparison

RIDGE = 0.01  # paper, section 3.2: epsilon of the regularised covariance


class PaDiM(Detector):
    """Anomaly detection by a Gaussian at each position (Defard et al. 2020, arXiv 2011.08785).

    The features at a position, over all good images that were inspected there, have a mean and a sample covariance,
    to which 0.01 I is added. A patch's score is its Mahalanobis distance; the image's score is the largest of them.

    The paper concatenates the network's maps as they are. Here every method is given the same locally aware features
    (3x3 means, `dims` long); of these a number of dimensions is drawn by the seed, as in the paper's section 3.2.

    A position where fewer than two good images were inspected has no Gaussian. It is judged by the Gaussian of the
    nearest position that has one; `figures` of a result counts such patches as "borrowed_patches".

    Memory: the covariances as packed triangles in float64, and their inverse factors [positions, d, d] once more for
    scoring and once for scoring with an image left out, as while building. The inverses may take 1 GB each; more is
    refused before the features are computed. The features themselves are read image by image.

    Parameters
    ----------
    dims_used
        Dimensions to draw (paper: 100); None for all.
    seed
        Draws the dimensions and the calibration sample.
    backbone, weights, layers, image_size, geometry, dims, value_range, device, engine
        As for :class:`patchcore.PatchCore`.

    Attributes
    ----------
    gaussians_
        Counts, means and covariances by position.
    dims_
        [d] int64: the dimensions that were drawn, ascending.
    """

    method = "padim"
    file_rules = GAUSSIAN_RULES

    least_groups = FEWEST + 1

    gaussians_: Gaussians
    dims_: NDArray[np.int64]

    def inverse_bytes(self) -> int:
        """Bytes that the inverse covariances will take; no image is needed."""
        return inverse_bytes(*self._drawn_shape())

    def announcement(self, images: int) -> str:
        """State the memory of the covariances; the number of images does not matter."""
        taken = self.inverse_bytes() / 1e6
        return (
            f"The inverse covariances take {taken:,.0f} MB in memory, and the file about {taken / 2:,.0f} MB."
        )

    def before_build(self, run: FittingRun) -> None:
        """Refuse covariances whose inverses would take more than a gigabyte.

        Raises
        ------
        SettingsError
            They would; the sentence has the number.
        """
        require_inverses(*self._drawn_shape())

    def learn(self, run: FittingRun, store: FeatureStore) -> None:
        """Sum up means and covariances, streamed, in two passes over the stored features.

        Raises
        ------
        NoImagesError
            Fewer than two images could be used, or no position was inspected in two of them.
        """
        if len(store.images) < FEWEST:
            raise NoImagesError(
                f"PaDiM needs at least {FEWEST} good images; {len(store.images)} could be used. Add good images."
            )
        chosen = np.random.default_rng(run.settings.seed).permutation(store.dims)
        self.dims_ = np.sort(chosen[: self._drawn(store.dims)])
        self._sum_up(run, store)

    def _sum_up(self, run: FittingRun, store: FeatureStore, left_out: frozenset[int] = frozenset()) -> None:
        """Sum up the Gaussians of the good images that are not left out; errors as for `learn`."""
        groups = self.copy_groups_
        # Near copies would narrow the Gaussians; too few groups leave nothing else to learn from.
        numbers = range(len(store.images)) if groups.too_few else groups.representatives.tolist()
        counted = [store.images[number] for number in numbers if number not in left_out]

        def parts() -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
            for done, image in enumerate(counted):
                run.report("covariances", done, len(counted))
                yield store.rows(image)[:, self.dims_].astype(np.float64), image.positions

        self.gaussians_ = Gaussians.of(parts, self.grid_[0] * self.grid_[1], len(self.dims_), RIDGE)
        run.report("covariances", len(counted), len(counted))
        if self.gaussians_.counts.max() < FEWEST:
            raise NoImagesError(
                "No position was inspected in two good images, so PaDiM cannot learn. Use images of one size."
            )

    def compare(
        self,
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
        own: frozenset[int] = frozenset(),
    ) -> Comparison:
        """Mahalanobis distances of the patches; see :meth:`patchcore.detector.Detector.compare`.

        The image that is scored is the one that is left out, so the Gaussians lose its own features: exactly, in closed
        form (:meth:`patchcore.kernels.gaussians.Gaussians.distances_without`).
        """
        vectors, positions = features[:, self.dims_].astype(np.float64), np.flatnonzero(inspected)
        known = self.gaussians_.counts - (inspected.ravel() if own else 0) >= FEWEST
        if not known.any():
            raise DataError(
                "fewer than two other good images are left at every position; it can only be scored without itself "
                "once there are more good images."
            )
        judges = nearest_known(known.reshape(inspected.shape))[positions]
        lost = np.isin(judges, positions) if own else np.zeros(len(judges), bool)
        distances = np.empty(len(vectors))
        distances[~lost] = self.gaussians_.distances(vectors[~lost], judges[~lost])
        gone = vectors[np.searchsorted(positions, judges[lost])]
        distances[lost] = self.gaussians_.distances_without(vectors[lost], judges[lost], gone)
        borrowed = int(np.count_nonzero(judges != positions))
        figures = {"borrowed_patches": float(borrowed)} if borrowed else {}
        return Comparison.of(distances.astype(np.float32), **figures)

    def score_sessions(
        self, run: FittingRun, store: FeatureStore, chosen: NDArray[np.int64], sessions: SessionGroups
    ) -> LeftOut:
        """Score chosen good images by Gaussians of the other sessions alone, summed up again for each session."""
        together: dict[frozenset[int], list[int]] = {}
        for number in chosen.tolist():
            together.setdefault(sessions.left_out_with(number), []).append(number)
        scores = dict.fromkeys(chosen.tolist(), np.float32(np.inf))
        for left_out, numbers in together.items():
            other = copy.copy(self)
            try:
                other._sum_up(run, store, left_out)
            except NoImagesError:
                continue  # too few images of other sessions
            for number in numbers:
                image = store.images[number]
                inspected = np.zeros(self.grid_, bool)
                inspected.flat[image.positions] = True
                scores[number] = other.compare(store.rows(image), inspected).distances.max()
        return LeftOut(chosen.astype(np.int32), np.array(list(scores.values()), np.float32))

    @property
    def size(self) -> Size:
        """Positions with their means and packed covariances."""
        found = self.gaussians_
        nbytes = found.means.nbytes + found.covariances.nbytes
        return Size(int(found.counts.sum()), len(found.counts), nbytes)

    @property
    def remarks_(self) -> list[str]:
        """Say how many positions were inspected in a single good image, and so have no Gaussian."""
        alone = int(np.count_nonzero(self.gaussians_.counts == 1))
        remarks = super().remarks_
        if not alone:
            return remarks
        return [
            *remarks,
            f"{alone:,} positions of the map were inspected in one good image only; each is judged by the Gaussian of "
            "the nearest position that two or more good images share.",
        ]

    def learned(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the Gaussians and the good scores as arrays."""
        found = self.gaussians_
        return {
            "padim.dims": self.dims_.astype(np.int32),
            "padim.counts": found.counts,
            "padim.means": found.means,
            "padim.covariances": found.covariances,
            **self.scored_parts(),
        }, {}

    def restore(self, tensors: Tensors, header: Header) -> None:
        """Take over the Gaussians and the good scores, each checked against the others."""
        hold(self.file_rules.rules(tensors, header))
        self.dims_ = tensors["padim.dims"].astype(np.int64)
        self.gaussians_ = Gaussians(
            tensors["padim.counts"], tensors["padim.means"], tensors["padim.covariances"], RIDGE
        )
        hold({"every covariance is positive definite": self.gaussians_.sound})
        self._left_out, self._session_left_out = LeftOut.of(tensors)

    def _drawn_shape(self) -> tuple[int, int]:
        """Return the positions of the map and the dimensions that are drawn; no image is needed."""
        rows, cols, length = self.feature_shape()
        return rows * cols, self._drawn(length)

    def _drawn(self, length: int) -> int:
        return min(self.settings.dims_used or length, length)
