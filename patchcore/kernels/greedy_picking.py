"""State of a greedy k-centre run: bounds of every point's distance, and the picks that it was compared with."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from torch import get_num_threads

from patchcore.errors import Cancelled, DataError
from patchcore.kernels.greedy_loops import LANES, LEADING, catch_up, pick_above

FARTHEST = 4096  # candidates of one round: their coordinates stay in the cache
SAMPLE = 4096  # least number of bounds from which the level of the farthest points is estimated
FOR_AXES = 1024  # least number of points from which the principal axes are computed
AT_ONCE = 256  # points that a thread compares before it checks for a stop
# Points times picks up to which one thread works alone: on a busy machine threads wait for each other.
ALONE = 10**8


class Picking:
    """State while picking: for each point an upper bound of its distance, and the number of picks compared with it."""

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
        """Make the first pick and compare it with every point."""
        self.picks[0], self.squares[0], self.made = first, np.inf, 1
        self.tiles[0, :, 0] = self.leading[first]
        self.nearest[first] = -1.0  # never picked again
        self._compare(np.flatnonzero(self.nearest > 0), -1.0)

    def round(self) -> None:
        """Pick among a few thousand candidates as long as the farthest point is certainly one of them."""
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
        """End the threads."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def _where_the_farthest_begin(self) -> float:
        total = len(self.points)
        bounds = self.nearest[:: max(1, total // SAMPLE)]
        among = min(len(bounds), max(1, len(bounds) * max(FARTHEST, total // 256) // total))
        return float(np.partition(bounds, -among)[-among])

    def _pick_equal_rows(self) -> None:
        """Pick remaining points in their order, once every point lies on a pick."""
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

    Computed in double precision: the rounding error of a distance is then in proportion to the largest coordinate.
    """
    total = len(points)
    sample = points[:: max(1, total // FOR_AXES)].astype(np.float64)
    leading = np.full((total, LEADING), np.nan, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # DataError below
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
