"""The memory bank: kept patch features with their provenance, in greedy order, and exact search among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from patchcore.coreset import coreset_size
from patchcore.errors import SettingsError
from patchcore.kernels.distances import bounds
from patchcore.kernels.projected_search import SMALLEST_BANK, SMALLEST_DIMS, ShortRows
from patchcore.kernels.search import RunningSearch, TorchSearch, nearest_by_faiss


@dataclass(frozen=True)
class Neighbours:
    """Nearest rows of a bank.

    Attributes
    ----------
    distances
        [Q, k] float32, Euclidean, ascending.
    rows
        [Q, k] int64 row numbers in the bank.
    """

    distances: NDArray[np.float32]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class MemoryBank:
    """Patch features of good images (paper: M), nested: every prefix is the coreset of its size.

    Attributes
    ----------
    features
        [R, dims] float32, in greedy order.
    images
        [R] int32: number of the good image that each row came from.
    positions
        [R] int32: the patch's place in that image, row * columns + column of the feature map.
    total_patches
        Number of patches of the good images before the coreset; shares are relative to it.
    taught
        Number of rows at the front that were taught after the build. Every prefix holds them, and no share counts
        them.
    """

    features: NDArray[np.float32]
    images: NDArray[np.int32]
    positions: NDArray[np.int32]
    total_patches: int
    taught: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.features)

    @property
    def dims(self) -> int:
        """Length of a feature."""
        return int(self.features.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes that the features take."""
        return self.features.nbytes

    @property
    def share(self) -> float:
        """Rows kept, as a share of all patches of the good images; taught rows do not count."""
        return self.built / self.total_patches

    @property
    def built(self) -> int:
        """Number of rows that the build chose."""
        return len(self) - self.taught

    @property
    def taught_images(self) -> set[int]:
        """Numbers of the images whose rows were taught; the bank was not built from any of them."""
        return set(self.images[: self.taught].tolist())

    def prefix(self, share: float) -> MemoryBank:
        """Return the bank at a smaller share, taught rows included, as a view; nothing is copied or computed.

        Raises
        ------
        SettingsError
            If the bank does not hold that many rows.
        """
        count = coreset_size(self.total_patches, share)
        if count > self.built:
            raise SettingsError(
                f"This bank holds {self.share:.2%} of the patches; a share of {share:.2%} needs a rebuild "
                "with a larger largest share."
            )
        return self.rows(slice(self.taught + count))

    def rows(self, chosen: slice | NDArray[np.bool_]) -> MemoryBank:
        """Return some of the rows, in the same order."""
        part = replace(
            self,
            features=self.features[chosen],
            images=self.images[chosen],
            positions=self.positions[chosen],
            taught=int(np.count_nonzero(np.arange(len(self))[chosen] < self.taught)),
        )
        if "short" in self.__dict__ or isinstance(chosen, np.ndarray):  # a slice may never be searched
            part.__dict__["short"] = self.short.rows(chosen) if self.short else None
        return part

    def without_images(self, images: set[int]) -> MemoryBank:
        """Return the bank without the rows of the given images."""
        return self.rows(~np.isin(self.images, list(images)))

    def with_taught(
        self, features: NDArray[np.float32], images: NDArray[np.int32], positions: NDArray[np.int32]
    ) -> MemoryBank:
        """Return the bank with further taught rows, placed between the earlier taught rows and the built rows."""
        parts = ((self.features, features), (self.images, images), (self.positions, positions))
        at = self.taught
        joined = [np.concatenate([old[:at], new, old[at:]]) for old, new in parts]
        return replace(
            self, features=joined[0], images=joined[1], positions=joined[2], taught=at + len(features)
        )

    def nearest(
        self, queries: NDArray[np.float32], k: int = 1, device: str | torch.device = "cpu"
    ) -> Neighbours:
        """Find the k nearest rows of each query; equal to the bit to a comparison of every pair.

        Parameters
        ----------
        queries
            [Q, dims] float32.
        k
            Number of neighbours; fewer are returned if the bank is smaller. Of equally near rows the first is nearer.
        device
            On 'cuda' the matrix product runs on the GPU.
        """
        k = min(k, len(self))
        if torch.device(device).type == "cuda":
            return Neighbours(*self._search_on(torch.device(device)).nearest(queries, k))
        if k > 1:
            return Neighbours(*nearest_by_faiss(queries, self.features, k, self.bounds))
        if self.short is not None:
            return Neighbours(*self.short.nearest(queries, self.features))
        search = RunningSearch(queries)
        search.add(self.features, row_bounds=self.bounds)
        return Neighbours(search.distances, search.rows)

    @cached_property
    def bounds(self) -> NDArray[np.float32]:
        """[R] float32, see :func:`patchcore.kernels.distances.bounds`; computed at the first search."""
        return bounds(self.features)

    @cached_property
    def short(self) -> ShortRows | None:
        """The rows as short vectors, with which a search rules out most rows; None where that saves nothing."""
        if len(self) < SMALLEST_BANK or self.dims < SMALLEST_DIMS:
            return None
        short = ShortRows.of(self.features)
        return short if short.usable else None

    def _search_on(self, device: torch.device) -> TorchSearch:
        if str(device) not in self._gpu_copies:
            self._gpu_copies[str(device)] = TorchSearch(self.features, device)
        return self._gpu_copies[str(device)]

    @cached_property
    def _gpu_copies(self) -> dict[str, TorchSearch]:
        return {}
