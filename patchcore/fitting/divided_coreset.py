"""The greedy order of more points than memory holds: divide, pick in each part, merge and pick again.

Greedy k-centre gives composable coresets (Indyk, Mahabadi, Mahdian and Mirrokni, PODS 2014; Malkomes et al., NIPS
2015). Let r be the smallest cover radius that `count` points can have. After `count` greedy picks no point of a part is
farther than 2 r from a pick: otherwise two of `count` + 1 points more than 2 r apart would share a ball of the best
cover. The same holds for the merged picks. So no point is farther than 4 r from the final picks; greedy on all points
at once promises 2 r. This promise takes `count` picks from each part. Where the merged picks would not fit the memory,
each part keeps as many as fit, and only the returned bound holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.coreset import GreedyOrder, Progress, greedy_k_centre
from patchcore.errors import SettingsError

HELD_BESIDE = 80  # bytes for each point while picking, beside its coordinates


@dataclass(frozen=True)
class DividedOrder:
    """The order found by dividing.

    Attributes
    ----------
    order
        Row numbers over all parts, nested; its `radii` are distances among the merged picks.
    bound
        Largest distance of any point from the picks: the largest radius in a part plus the final radius.
    guaranteed
        Whether every part gave `count` picks, so that the cover radius is at most four times the best.
    """

    order: GreedyOrder
    bound: float
    guaranteed: bool


def parts_needed(total: int, dims: int, memory: int) -> int:
    """Number of parts such that picking from each fits into `memory` bytes."""
    return -(-total * (4 * dims + HELD_BESIDE) // memory)


def divided_k_centre(
    parts: Sequence[Callable[[], NDArray[np.float32]]],
    count: int,
    memory: int,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DividedOrder:
    """Pick from parts that are in memory one at a time.

    Parameters
    ----------
    parts
        Each returns its points [N_i, d] float32 when called; together they are the rows, in order.
    count
        Number of picks in all.
    memory
        Bytes that the merged picks may take.
    seed, progress, cancelled
        As for :func:`patchcore.coreset.greedy_k_centre`.

    Raises
    ------
    SettingsError
        If there are fewer points than picks, or so many picks do not fit the memory.
    Cancelled
        If `cancelled` said so.
    """
    rows: list[NDArray[np.int64]] = []
    merged: list[NDArray[np.float32]] = []
    start, left, guaranteed, farthest = 0, 0, True, 0.0
    for number, part in enumerate(parts):
        points = part()
        fit = memory // (len(parts) * (4 * points.shape[1] + HELD_BESIDE))
        keep = min(len(points), count, max(fit, 1))
        guaranteed = guaranteed and keep == min(len(points), count)
        order = greedy_k_centre(points, keep, seed, cancelled=cancelled)
        if keep < len(points):
            farthest = max(farthest, float(order.radii[-1]))
        rows.append(start + order.indices)
        merged.append(points[order.indices])
        start, left = start + len(points), left + keep
        if progress:
            progress(count * (number + 1) // (2 * len(parts)), count)
    if count > left:
        raise SettingsError(
            f"Choosing {count} of {start} patches needs more memory than the {memory / 2**30:.1f} GiB allowed for it; "
            f"a share of at most {left / start:.2%} fits."
        )
    halfway = None if progress is None else lambda done, total: progress((total + done) // 2, total)
    order = greedy_k_centre(np.concatenate(merged), count, seed, halfway, cancelled)
    indices = np.concatenate(rows)[order.indices]
    last = float(order.radii[-1]) if count < left else 0.0
    return DividedOrder(GreedyOrder(indices, order.radii), farthest + last, guaranteed)
