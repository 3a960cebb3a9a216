"""Exact nearest-neighbour search: a running search to which rows are added, on the CPU, and its twin on a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray

from patchcore.kernels.distances import ROUNDING, SMALLEST, any_within, bounds, compiled, square_distance
from patchcore.kernels.matmul import product
from patchcore.kernels.precision import full_precision

ROWS_AT_ONCE = 1024  # rows of the bank at once; with a few hundred queries their products stay in the cache
LANES = 64
PAIRS_ON_GPU = 2**26  # queries times rows at once: 256 MB


class RunningSearch:
    """The k nearest of all rows added so far, for each query; of equals the first one added.

    Parameters
    ----------
    queries
        [Q, dims] float32.
    k
        Number of neighbours; free places have an infinite distance and the row -1.
    """

    def __init__(self, queries: NDArray[np.float32], k: int = 1) -> None:
        self.queries = np.ascontiguousarray(queries, np.float32)
        self.squares = np.full((len(queries), k), np.inf)
        self.rows = np.full((len(queries), k), -1, np.int64)
        self._bounds = bounds(self.queries)

    def add(
        self, features: NDArray[np.float32], first: int = 0, row_bounds: NDArray[np.float32] | None = None
    ) -> None:
        """Search further rows.

        Parameters
        ----------
        features
            [R, dims] float32.
        first
            Number of the first of them.
        row_bounds
            [R], `distances.bounds` of the features, if already computed.
        """
        if row_bounds is None:
            row_bounds = bounds(features)
        for start in range(0, len(features), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            _tighten(
                product(self.queries, features[part].T),
                self.queries,
                features[part],
                self._bounds,
                row_bounds[part],
                first + start,
                self.squares,
                self.rows,
            )

    @property
    def distances(self) -> NDArray[np.float32]:
        """[Q, k] Euclidean distances, ascending."""
        return np.asarray(np.sqrt(self.squares), np.float32)


@compiled
def _tighten(products, queries, rows, query_bounds, row_bounds, first, squares, nearest):  # type: ignore[no-untyped-def]
    """Measure every row that may be nearer than the k-th found so far, in the order of the rows."""
    two, last = np.float32(2), squares.shape[1] - 1
    for i in range(queries.shape[0]):
        query, line = queries[i], products[i]
        limit = np.float32(squares[i, last] - query_bounds[i])
        for start in range(0, rows.shape[0], LANES):
            part, low = line[start : start + LANES], row_bounds[start : start + LANES]
            if not any_within(part, low, limit):
                continue
            for j in range(part.shape[0]):
                if low[j] - two * part[j] > limit:
                    continue
                square = square_distance(query, rows[start + j])
                if square < squares[i, last]:
                    _insert(squares[i], nearest[i], square, first + start + j)
                    limit = np.float32(squares[i, last] - query_bounds[i])


@compiled
def _insert(squares, rows, square, row):  # type: ignore[no-untyped-def]
    place = squares.shape[0] - 1
    while place > 0 and square < squares[place - 1]:
        squares[place], rows[place] = squares[place - 1], rows[place - 1]
        place -= 1
    squares[place], rows[place] = square, row


SPARE = 8  # further rows that faiss returns beyond the k: a lower bound for the rest


def nearest_by_faiss(
    queries: NDArray[np.float32],
    features: NDArray[np.float32],
    k: int,
    row_bounds: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return distances [Q, k] and rows [Q, k] as `RunningSearch` does, ranked by faiss; quicker where k is above 1.

    faiss ranks by expanded squares, whose rounding can reorder near ties. Its rows are measured, and where the farthest
    of them is not clearly beyond the k-th nearest, `RunningSearch` repeats this query.
    """
    import faiss  # late: a GPU machine may lack it

    queries = np.ascontiguousarray(queries, np.float32)
    wanted = min(k + SPARE, len(features))
    expanded, rows = faiss.knn(queries, np.ascontiguousarray(features, np.float32), wanted)
    squares, found = np.full((len(queries), k), np.inf), np.full((len(queries), k), -1, np.int64)
    owner, candidates = np.repeat(np.arange(len(queries)), wanted), np.sort(np.maximum(rows, 0), 1)
    _measure(queries, features, owner, candidates.ravel(), squares, found)
    unsure = (rows < 0).any(1) | ~np.isfinite(expanded).all(1)  # where squares overflow, faiss cannot rank
    if wanted < len(features):
        of_query, of_row = (
            np.einsum("ij,ij->i", side, side, dtype=np.float64) for side in (queries, features)
        )
        rounding = ROUNDING * (2.02 * queries.shape[1] + 64) * (of_query + of_row.max()) + SMALLEST
        unsure |= ~(expanded[:, -1] - rounding > squares[:, -1])
    if unsure.any():
        again = RunningSearch(queries[unsure], k)
        again.add(features, row_bounds=row_bounds)
        squares[unsure], found[unsure] = again.squares, again.rows
    return np.sqrt(squares).astype(np.float32), found


def nearest_rows(
    queries: NDArray[np.float32], features: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return distances and rows [Q, k] of the k nearest, or of all; by faiss where installed."""
    k = min(k, len(features))
    try:
        return nearest_by_faiss(queries, features, k)
    except ImportError:  # both give the same rows
        search = RunningSearch(queries, k)
        search.add(features)
        return search.distances, search.rows


class TorchSearch:
    """The same search with the products on a GPU; candidates are measured on the CPU, so results are equal to the bit.

    Parameters
    ----------
    features
        [R, dims] float32; a copy is held on the device.
    device
        The device of the products.
    """

    def __init__(self, features: NDArray[np.float32], device: torch.device) -> None:
        self.features, self.device = features, device
        self._features = torch.from_numpy(features).to(device)
        self._bounds = torch.from_numpy(bounds(features)).to(device)

    def nearest(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return distances [Q, k] and rows [Q, k] as `RunningSearch` does."""
        queries = np.ascontiguousarray(queries, np.float32)
        step = max(1, PAIRS_ON_GPU // len(self.features))
        parts = [self._part(queries[i : i + step], k) for i in range(0, len(queries), step)]
        squares, rows = (np.concatenate(both) for both in zip(*parts, strict=True))
        return np.sqrt(squares).astype(np.float32), rows

    def _part(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        with full_precision(self.device):  # the bounds allow only for the rounding of full single precision
            low = self._bounds - 2 * torch.from_numpy(queries).to(self.device) @ self._features.T
        guess = low.topk(k, dim=1, largest=False).indices.cpu().numpy()
        squares, rows = np.full(guess.shape, np.inf), np.full(guess.shape, -1, np.int64)
        owner = np.repeat(np.arange(len(queries)), k)
        _measure(queries, self.features, owner, guess.ravel(), squares, rows)
        with np.errstate(over="ignore"):  # an infinite limit keeps every row
            limit = torch.from_numpy((squares[:, -1:] - bounds(queries)[:, None]).astype(np.float32))
        owner, row = (~(low > limit.to(self.device))).nonzero().cpu().numpy().T
        squares[:], rows[:] = np.inf, -1
        _measure(queries, self.features, owner, row, squares, rows)
        return squares, rows


@compiled
def _measure(queries, features, owner, row, squares, rows):  # type: ignore[no-untyped-def]
    """Measure pairs of query and row, given in the order of the rows, and keep each query's nearest."""
    for pair in range(owner.shape[0]):
        i = owner[pair]
        square = square_distance(queries[i], features[row[pair]])
        if square < squares[i, -1]:
            _insert(squares[i], rows[i], square, row[pair])
