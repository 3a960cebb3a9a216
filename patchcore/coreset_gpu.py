"""Comparing points with picks on a GPU while the greedy order is made; the picks are those of the CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from patchcore.search import TorchSearch


def catch_up_on(
    device: torch.device,
    points: NDArray[np.float32],
    picks: NDArray[np.int64],
    rows: NDArray[np.int64],
    nearest: NDArray[np.float64],
    seen: NDArray[np.int32],
) -> None:
    """Show some points all the picks that they have not seen.

    Parameters
    ----------
    device
        Where the products of points with picks are computed; what may be nearer is measured on the CPU.
    points, picks
        [N, d] float32; numbers of the points picked so far.
    rows
        The points to compare.
    nearest, seen
        [N] square of the distance to the nearest pick seen; how many picks were seen. Brought up to date.
    """
    first = int(seen[rows].min())
    if first == len(picks):
        return
    search = TorchSearch(points[picks[first:]], device)
    found = search.nearest_squares(points[rows], 1)[0][:, 0]
    nearest[rows], seen[rows] = np.minimum(nearest[rows], found), len(picks)
