"""Gaussians at many places: summed up from vectors, Mahalanobis distances, and distances with one vector removed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchcore.kernels.distances import compiled

FEWEST = 2  # vectors that a sample covariance takes
TOGETHER = 16  # parts that are summed up at once, so that the sums stay in the cache

Vectors = NDArray[np.float64]
Places = NDArray[np.int64]
Parts = Callable[[], Iterable[tuple[Vectors, Places]]]
"""Yields vectors [P, d] with their places [P], no place twice in a part; called twice."""


@dataclass(frozen=True)
class Gaussians:
    """Mean and sample covariance of the vectors at each place; the covariance gets `ridge` on its diagonal.

    Attributes
    ----------
    counts
        [G] int32: vectors at each place.
    means
        [G, d] float64.
    covariances
        [G, d (d + 1) / 2] float64: rows of the lower triangles, without the ridge; zero with fewer than `FEWEST`.
    ridge
        Added to the diagonal of every covariance.
    """

    counts: NDArray[np.int32]
    means: Vectors
    covariances: Vectors
    ridge: float

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return int(self.means.shape[1])

    @classmethod
    def of(cls, parts: Parts, places: int, dims: int, ridge: float) -> "Gaussians":
        """Sum up vectors in two passes: means first, then products of the centred vectors.

        Memory: the packed covariances, and `TOGETHER` parts.
        """
        counts, means = np.zeros(places, np.int32), np.zeros((places, dims))
        for vectors, at in parts():
            counts[at] += 1
            means[at] += vectors
        means /= np.maximum(counts, 1)[:, None]
        covariances = np.zeros((places, dims * (dims + 1) // 2))
        waiting = list[Vectors]()
        for vectors, at in parts():
            centred = np.zeros((places, dims))  # a place without a vector adds nothing
            centred[at] = vectors - means[at]
            waiting.append(centred)
            if len(waiting) == TOGETHER:
                _add_products(covariances, np.stack(waiting, axis=1))
                waiting.clear()
        if waiting:
            _add_products(covariances, np.stack(waiting, axis=1))
        covariances /= np.maximum(counts - 1, 1)[:, None]
        return cls(counts, means, covariances, ridge)

    @property
    def sound(self) -> bool:
        """Whether every covariance is positive definite with its ridge, as a true covariance must be."""
        return bool(np.isfinite(self._factors).all())

    def distances(self, vectors: Vectors, at: Places) -> Vectors:
        """Mahalanobis distances [P] of vectors [P, d] from the Gaussians at places [P]."""
        whitened = _whitened(self._factors, at, vectors - self.means[at])
        return np.asarray(np.sqrt(np.einsum("pi,pi->p", whitened, whitened)))

    def distances_without(self, vectors: Vectors, at: Places, gone: Vectors) -> Vectors:
        """Mahalanobis distances [P] from Gaussians that each lack one vector, as if summed up without it.

        With d = gone - mean, n vectors and a = (n - 1) / (n - 2), the covariance without it is a S - b d d', b = n /
        ((n - 1) (n - 2)). Its inverse with the ridge follows from the inverse of S + ridge / a by Sherman and Morrison.

        Parameters
        ----------
        vectors, at
            [P, d] and [P]; each place must have had more than `FEWEST` vectors.
        gone
            [P, d]: the vector to remove at each of these places.
        """
        n = self.counts[at].astype(np.float64)
        d = gone - self.means[at]
        new_mean = self.means[at] - d / (n - 1)[:, None]
        v, w = (_whitened(self._factors_without_one, at, one) for one in (vectors - new_mean, d))
        share = n / (n - 1) ** 2  # b / a
        vv, vw, ww = (np.einsum("pi,pi->p", one, other) for one, other in ((v, v), (v, w), (w, w)))
        squares = (n - 2) / (n - 1) * (vv + share * vw**2 / (1 - share * ww))
        return np.asarray(np.sqrt(squares))

    @cached_property
    def _factors(self) -> Vectors:
        """[G, d, d] transposed inverse Cholesky factors of the covariances with their ridge."""
        return self._inverse_factors(np.full(len(self.counts), self.ridge))

    @cached_property
    def _factors_without_one(self) -> Vectors:
        """[G, d, d] the same with ridge / a, which becomes the ridge when the covariance is scaled by a."""
        n = np.maximum(self.counts, FEWEST + 1)
        return self._inverse_factors(self.ridge * (n - 2) / (n - 1))

    def _inverse_factors(self, ridges: NDArray[np.float64]) -> Vectors:
        out = np.zeros((len(self.counts), self.dims, self.dims))
        _invert(self.covariances, ridges, out)
        return out


def nearest_known(known: NDArray[np.bool_]) -> Places:
    """Return for each place [rows * cols] of a map its nearest known place; at least one must be known."""
    if known.all():
        return np.arange(known.size)
    row, col = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(row * known.shape[1] + col, np.int64).ravel()


def _whitened(factors: Vectors, at: Places, vectors: Vectors) -> Vectors:
    """Multiply each vector [P, d] by the inverse Cholesky factor of its place."""
    out = np.zeros_like(vectors)
    _multiply(factors, at, np.ascontiguousarray(vectors), out)
    return out


# Inner loops run over neighbours in memory and add to separate sums, so that they are compiled to vectors in the one
# order of additions that is written: the same bits on any number of threads, which BLAS does not promise.


@compiled
def _add_products(packed, stacked):  # type: ignore[no-untyped-def]
    """Add the products of vectors [G, parts, d] with themselves to lower triangles [G, d (d + 1) / 2]."""
    for g in range(stacked.shape[0]):
        for b in range(stacked.shape[1]):
            vector, first = stacked[g, b], 0
            for i in range(vector.shape[0]):
                row, factor = packed[g, first : first + i + 1], vector[i]
                for j in range(row.shape[0]):
                    row[j] += factor * vector[j]
                first += i + 1


@compiled
def _invert(packed, ridges, out):  # type: ignore[no-untyped-def]
    """Fill [G, d, d] with transposed inverse Cholesky factors; not a number where a matrix is not positive."""
    dims = out.shape[1]
    lower, inverse, column = np.empty((dims, dims)), np.empty((dims, dims)), np.empty(dims)
    for g in range(out.shape[0]):
        first = 0
        for i in range(dims):
            lower[i, : i + 1] = packed[g, first : first + i + 1]
            lower[i, i] += ridges[g]
            first += i + 1
        for k in range(dims):
            pivot = np.sqrt(lower[k, k]) if lower[k, k] > 0 else np.nan
            column[k] = lower[k, k] = pivot
            for i in range(k + 1, dims):
                lower[i, k] /= pivot
                column[i] = lower[i, k]
                row, factor = lower[i], column[i]
                for j in range(k + 1, i + 1):
                    row[j] -= factor * column[j]
        for i in range(dims):  # forward substitution of the identity
            row = inverse[i]
            row[:] = 0
            row[i] = 1
            for k in range(i):
                known, factor = inverse[k], lower[i, k]
                for j in range(k + 1):
                    row[j] -= factor * known[j]
            for j in range(i + 1):
                row[j] /= lower[i, i]
                out[g, j, i] = row[j]


@compiled
def _multiply(factors, at, vectors, out):  # type: ignore[no-untyped-def]
    for p in range(vectors.shape[0]):
        sums = out[p]
        for k in range(vectors.shape[1]):
            row, x = factors[at[p], k], vectors[p, k]
            for i in range(k, row.shape[0]):
                sums[i] += row[i] * x
