"""The greedy k-centre order (paper §3.2): one run to the largest share; every smaller coreset is a prefix of it.

The picks equal the picks of the plain algorithm, which compares every point with every pick. A point's distance to its
nearest pick never rises, so an earlier distance is an upper bound, and a point whose bound is below the farthest
point's distance cannot be picked. Therefore only points that may be the farthest are compared with new picks, many
picks at once, and the comparison of a point stops at the first pick that is near enough to rule the point out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import SettingsError
from patchcore.kernels.greedy_picking import Picking
from patchcore.settings import check

PROJECTED_DIMS = 128  # reference implementation: Johnson-Lindenstrauss projection to 128 dimensions

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
    """Number of rows of a share: at least one, rounded down as in the reference implementation.

    Raises
    ------
    SettingsError
        If the share is not in (0, 1].
    """
    check("coreset", share)
    return max(1, int(share * total + 1e-9))


def projection_matrix(dims: int, seed: int) -> NDArray[np.float32] | None:
    """Gaussian Johnson-Lindenstrauss matrix [dims, 128]; None where the features are no longer than that."""
    if dims <= PROJECTED_DIMS:
        return None
    gaussian = np.random.default_rng(seed).standard_normal((dims, PROJECTED_DIMS))
    return np.asarray(gaussian / np.sqrt(PROJECTED_DIMS), np.float32)


def greedy_k_centre(
    points: NDArray[np.float32],
    count: int,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> GreedyOrder:
    """Run exact greedy k-centre on points as they are, without projecting.

    Distances equal :func:`patchcore.kernels.distances.square_distance`. Of equally far points the first is picked.

    Parameters
    ----------
    points
        [N, d] float32; at most 80 bytes more are held for each while picking, and 64 for each pick.
    count
        Number of picks.
    seed
        Chooses the first pick, which is itself in the coreset.
    progress, cancelled
        Called with (picked, count) after each round; returns whether to stop.

    Raises
    ------
    SettingsError
        If `count` is not between 1 and N.
    DataError
        If a coordinate is infinite or not a number.
    Cancelled
        If `cancelled` said so.
    """
    total = len(points)
    if not 1 <= count <= total:
        raise SettingsError(f"Cannot pick {count} rows out of {total}.")
    picking = Picking(np.ascontiguousarray(points, np.float32), count, cancelled)
    try:
        picking.start(int(np.random.default_rng(seed).integers(total)))
        while picking.made < count:
            picking.round()
            if progress:
                progress(picking.made, count)
    finally:
        picking.close()
    return GreedyOrder(picking.picks, np.sqrt(picking.squares).astype(np.float32))


@lru_cache(maxsize=1)
def compile_ahead() -> None:
    """Compile the loops, or fetch them from disk where they were compiled before; takes seconds the first time."""
    greedy_k_centre(np.arange(4, dtype=np.float32).reshape(4, 1) ** 2, 4)
