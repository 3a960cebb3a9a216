"""The greedy k-centre order (paper §3.2): one run to the largest share; every smaller coreset is a prefix of it.

The picks are those of the plain algorithm, which compares every point with every pick. But a point's distance to its
nearest pick only falls, so what was found earlier bounds it from above, and a point whose bound lies below the farthest
point's distance cannot be picked. So only points that may be among the farthest are compared with the picks they have
not seen, many picks at once, and only until one is found that is near enough to put the point off again.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.errors import Cancelled, DataError, SettingsError
from patchcore.kernels.greedy_loops import LANES, LEADING, catch_up, pick_above
from patchcore.settings import check

PROJECTED_DIMS = 128  # reference implementation: Johnson-Lindenstrauss projection to 128 dimensions
FARTHEST = 4096  # points of which one round picks: what it needs of them stays in the cache
SAMPLE = 4096  # points, at least, whose bounds tell where the farthest begin
FOR_AXES = 1024  # points, at least, that tell the principal axes
AT_ONCE = 256  # points that a thread compares before it looks whether to stop
ALONE = (
    10**8
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
    check("coreset", share)
    return max(1, int(share * total + 1e-9))


def projection_matrix(dims: int, seed: int) -> NDArray[np.float32] | None:
    """Gaussian Johnson-Lindenstrauss matrix [dims, 128]; None where nothing would be gained."""
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

    Distances are those of :func:`patchcore.kernels.distances.square_distance`; of equally far points the first is
    picked.

    Parameters
    ----------
    points
        [N, d] float32; at most 80 bytes more are held for each while picking, and 64 for each pick.
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
    DataError
        If a coordinate is infinite or not a number.
    Cancelled
        If `cancelled` said so.
    """
    total = len(points)
    if not 1 <= count <= total:
        raise SettingsError(f"Cannot pick {count} rows out of {total}.")
    picking = _Picking(np.ascontiguousarray(points, np.float32), count, cancelled)
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


class _Picking:
    """What is known while picking: for each point an upper bound of its distance, and which picks it has seen."""

    def __init__(self, points: NDArray[np.float32], count: int, cancelled: Callable[[], bool] | None) -> None:
        total = len(points)
        self.points, self.cancelled = points, cancelled
        self.leading, self.scale = _leading_coordinates(points)
        self.nearest = np.full(total, np.inf)  # squares
        self.seen = np.zeros(total, np.int32)
        self.tiles = np.full((-(-count // LANES), LEADING, LANES), np.inf, np.float32)
        self.picks, self.squares, self.made = np.empty(count, np.int64), np.empty(count), 0
        threads = 1 if total * count <= ALONE else get_num_threads()
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def start(self, first: int) -> None:
        """Make the first pick and show it to every point."""
        self.picks[0], self.squares[0], self.made = first, np.inf, 1
        self.tiles[0, :, 0] = self.leading[first]
        self.nearest[first] = -1.0  # never picked again
        self._compare(np.flatnonzero(self.nearest > 0), -1.0)

    def round(self) -> None:
        """Pick as long as it is certain which point is the farthest from looking at a few thousand of them."""
        farthest = self.nearest.max()
        if farthest == 0:
            self._pick_equal_rows()
            return
        level = min(self._where_the_farthest_begin(), 0.999 * farthest)
        rows = np.flatnonzero(self.nearest > level)
        self._compare(rows, level)
        rows = rows[self.nearest[rows] > level]
        if not len(rows):
            return
        self.made = pick_above(
            self.points,
            self.leading,
            self.scale,
            self.tiles,
            self.picks,
            self.squares,
            self.made,
            level,
            rows,
            self.nearest,
            self.seen,
        )

    def close(self) -> None:
        """Let the threads go."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def _where_the_farthest_begin(self) -> float:
        total = len(self.points)
        bounds = self.nearest[:: max(1, total // SAMPLE)]
        among = min(len(bounds), max(1, len(bounds) * max(FARTHEST, total // 256) // total))
        return float(np.partition(bounds, -among)[-among])

    def _pick_equal_rows(self) -> None:
        """Take what is left in its order where every point lies on a pick."""
        left = np.flatnonzero(self.nearest == 0)[: len(self.picks) - self.made]
        self.picks[self.made :], self.squares[self.made :] = left, 0
        self.made = len(self.picks)

    def _compare(self, rows: NDArray[np.int64], level: float) -> None:
        """Compare rows with new picks; stop a row early once its distance is below `level`."""
        parts = (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
        for _ in (self.pool.map if self.pool else map)(lambda part: self._catch_up(part, level), parts):
            if self.cancelled and self.cancelled():
                raise Cancelled("Stopped while choosing the coreset.")

    def _catch_up(self, rows: NDArray[np.int64], level: float) -> None:
        catch_up(
            self.points,
            self.leading,
            self.scale,
            self.tiles,
            self.picks,
            self.made,
            level,
            rows,
            self.nearest,
            self.seen,
        )


def _leading_coordinates(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Coordinates [N, LEADING] along the principal axes, scaled so that the largest lies in 0.5..1; and the scale.

    Computed in double precision: what rounding can do to a distance is then in proportion to the largest coordinate.
    """
    total = len(points)
    sample = points[:: max(1, total // FOR_AXES)].astype(np.float64)
    leading = np.full((total, LEADING), np.nan, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # told in a sentence below
        centre = sample.mean(0)
        sample -= centre
        covariance = sample.T @ sample
        if np.isfinite(covariance).all():
            axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :LEADING]
            leading[:, axes.shape[1] :] = 0
            for start in range(0, total, FOR_AXES):
                part = slice(start, start + FOR_AXES)
                leading[part, : axes.shape[1]] = (points[part] - centre) @ axes
    largest = max(leading.max(), -leading.min())
    if not np.isfinite(largest):
        raise DataError("Some features are infinite or not a number; are the network's weights whole?")
    scale = 2.0 ** min(100, -int(np.frexp(largest)[1]))  # a power of two: multiplying by it rounds nothing
    leading *= np.float32(scale)
    return leading, scale
