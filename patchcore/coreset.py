"""The greedy k-centre order (paper §3.2): one run to the largest share; every smaller coreset is a prefix of it.

One fused pass per pick updates every point's distance to its nearest pick and finds the farthest point. Points are
rotated to their principal axes first, so that the leading coordinates already rule out nearly every update: only
the few points that pass that test have their remaining coordinates read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from patchcore.errors import Cancelled, SettingsError

PROJECTED_DIMS = 128  # reference implementation: Johnson-Lindenstrauss projection to 128 dimensions
LEADING = 16
REPORT_EVERY = 256
ALONE = (
    10**9
)  # points times picks up to which one thread does it: on a busy machine threads wait for each other

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class GreedyOrder:
    """The order in which greedy k-centre picks rows.

    Attributes
    ----------
    indices
        [count] int64, nested by construction: the first k are the k-centre coreset of size k.
    radii
        [count] float32: before pick k, the largest distance (in the projection) of any row to the first k picks;
        the first entry is infinite. Never rises.
    """

    indices: NDArray[np.int64]
    radii: NDArray[np.float32]


def coreset_size(total: int, share: float) -> int:
    """Number of rows that a share stands for: at least one, rounded down as the reference does.

    Raises
    ------
    SettingsError
        If the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise SettingsError(f"The coreset share must be above 0 and at most 1 (100 %), not {share}.")
    return max(1, int(share * total + 1e-9))


def projection_matrix(dims: int, seed: int) -> NDArray[np.float32] | None:
    """Gaussian Johnson-Lindenstrauss matrix [dims, 128]; None where nothing would be gained."""
    if dims <= PROJECTED_DIMS:
        return None
    gaussian = np.random.default_rng(seed).standard_normal((dims, PROJECTED_DIMS))
    return np.asarray(gaussian / np.sqrt(PROJECTED_DIMS), np.float32)


def project(features: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Reduce features for the greedy search: [N, dims] -> [N, at most 128] float32."""
    matrix = projection_matrix(features.shape[1], seed)
    return features if matrix is None else features @ matrix


def greedy_order(features: NDArray[np.float32], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Greedy k-centre order of rows, minimising the cover radius on a random projection (paper §3.2, Algorithm 1).

    Parameters
    ----------
    features
        [N, dims] float32.
    count
        How many rows to pick; at most N.
    seed
        Chooses the projection and the first pick.

    Returns
    -------
    ndarray
        [count] int64, no row twice. Ties go to the lowest index.

    Raises
    ------
    SettingsError
        If `count` is not between 1 and N.
    """
    return greedy_k_centre(project(np.asarray(features, np.float32), seed), count, seed).indices


def greedy_k_centre(
    points: NDArray[np.float32],
    count: int,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> GreedyOrder:
    """Run exact greedy k-centre on points as they are, without projecting.

    Parameters
    ----------
    points
        [N, d] float32; a rotated copy of the same size is held while picking.
    count
        How many to pick.
    seed
        Chooses the first pick, which is itself in the coreset.
    progress, cancelled
        Called now and then with (picked, count); asked now and then whether to stop.

    Raises
    ------
    SettingsError
        If `count` is not between 1 and N.
    Cancelled
        If `cancelled` said so.
    """
    total = len(points)
    if not 1 <= count <= total:
        raise SettingsError(f"Cannot pick {count} rows out of {total}.")
    leading, rest = _principal_axes(points)
    nearest = np.full(total, np.inf, np.float32)
    indices, radii = np.empty(count, np.int64), np.empty(count, np.float32)
    pick, radius = int(np.random.default_rng(seed).integers(total)), np.float32(np.inf)
    threads = 1 if total * count <= ALONE else get_num_threads()
    for k in range(0, count, REPORT_EVERY):
        if cancelled and cancelled():
            raise Cancelled("Stopped while choosing the coreset.")
        stop = min(k + REPORT_EVERY, count)
        pick, radius = _pick_many(
            leading, rest, nearest, indices[k:stop], radii[k:stop], pick, radius, threads
        )
        if progress:
            progress(stop, count)
    return GreedyOrder(indices, np.sqrt(radii))


def _principal_axes(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rotate to principal axes and split into the leading coordinates and the rest; distances stay the same."""
    sample = points[:: max(1, len(points) // 20_000)].astype(np.float64)
    _, axes = np.linalg.eigh(np.cov(sample - sample.mean(0), rowvar=False).reshape(points.shape[1], -1))
    axes = axes[:, ::-1].astype(np.float32)
    leading = np.ascontiguousarray(points @ axes[:, :LEADING])
    return leading, points @ axes[:, LEADING:]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # infinities are meant here, so only the reorderings that let the sums run in parallel lanes are allowed
    fast = {"reassoc", "contract", "nsz"}
    compiled: Callable[..., Any] = njit(parallel=True, fastmath=fast, cache=True, nogil=True)(function)
    return compiled


@_compiled
def _pick_many(leading, rest, nearest, indices, radii, pick, radius, threads):  # type: ignore[no-untyped-def]
    """Make len(indices) picks from `pick` on; returns the next pick and its squared distance."""
    total = leading.shape[0]
    step = (total + threads - 1) // threads
    best_value, best_index = np.empty(threads, np.float32), np.empty(threads, np.int64)
    for k in range(indices.shape[0]):
        indices[k], radii[k] = pick, radius
        nearest[pick] = np.float32(-1)  # never picked again, also where all rows are equal
        head, tail = leading[pick], rest[pick]
        for t in prange(threads):
            value, index = np.float32(-1), np.int64(0)
            for i in range(t * step, min(total, (t + 1) * step)):
                limit = nearest[i]
                distance = np.float32(0)
                for j in range(leading.shape[1]):
                    difference = leading[i, j] - head[j]
                    distance += difference * difference
                if distance < limit:
                    for j in range(rest.shape[1]):
                        difference = rest[i, j] - tail[j]
                        distance += difference * difference
                    if distance < limit:
                        limit = distance
                        nearest[i] = distance
                if limit > value:
                    value, index = limit, np.int64(i)
            best_value[t], best_index[t] = value, index
        winner = 0
        for t in range(1, threads):
            if best_value[t] > best_value[winner]:
                winner = t
        pick, radius = best_index[winner], best_value[winner]
    return pick, radius
