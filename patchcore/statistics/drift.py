"""Drift: do accepted parts score higher than they did when the inspector was put in use?

A dirty lens, an aged lamp or a shifted part raises the scores of all parts a little before the first good one is
rejected. The first `REFERENCE` accepted scores are the reference; every later `WINDOW` is compared with
them by the one-sided rank test of Mann and Whitney, which assumes nothing about the distribution of scores. Windows
do not overlap and end by count, so the result does not depend on the times of looking. Each window is tested at
`ALARM` divided by the number of windows in `HORIZON` parts (Bonferroni, which permits a shared reference): in a run
of `HORIZON` parts without drift, the probability of a false alarm is at most `ALARM`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

REFERENCE = 200  # accepted parts in the reference
WINDOW = 100  # accepted parts in a window
HORIZON = 1000  # parts within which ...
ALARM = 0.05  # ... a false alarm may come, at most, with this probability
LEVEL = ALARM / (HORIZON // WINDOW)  # level of one test
WEIGHT = 0.1  # weight of the latest score in the moving average
LIMIT = 3.0  # standard deviations of the moving average, to either side


@dataclass(frozen=True)
class Comparison:
    """A window of scores against the reference.

    Attributes
    ----------
    p_value
        Probability of scores at least this much higher, without drift.
    above
        Share of pairs in which the window's score is above the reference's; a half without drift.
    median, reference_median
        Medians of the window and of the reference.
    """

    p_value: float
    above: float
    median: float
    reference_median: float

    @property
    def is_drift(self) -> bool:
        """Whether the rise is too large for chance."""
        return self.p_value <= LEVEL


@dataclass(frozen=True)
class ControlChart:
    """A moving average of scores with its limits.

    Attributes
    ----------
    average
        Exponentially weighted, of the scores' logarithms, back in score units, float64 [n].
    centre, lower, upper
        Its course without drift.
    """

    average: NDArray[np.float64]
    centre: float
    lower: float
    upper: float


def compare(reference: ArrayLike, window: ArrayLike) -> Comparison:
    """Compare scores with a reference.

    Parameters
    ----------
    reference, window
        Scores, [n] and [m].
    """
    (comparison,) = _compare_rows(reference, np.asarray(window, np.float64)[None])
    return comparison


def _compare_rows(reference: ArrayLike, windows: ArrayLike) -> list[Comparison]:
    """Hold every row of windows [k, m] against a reference [n]; one test of k rows is far quicker than k tests."""
    normal, latest = np.sort(np.asarray(reference, np.float64)), np.asarray(windows, np.float64)
    above, p_values = _rank_test(normal, latest)
    reference_median = float(np.median(normal))
    return [
        Comparison(
            p_value=float(p_value),
            above=float(share),
            median=float(median),
            reference_median=reference_median,
        )
        for p_value, share, median in zip(p_values, above, np.median(latest, axis=1), strict=True)
    ]


def _rank_test(
    reference: NDArray[np.float64], windows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Test whether the values of each row are larger than the reference's (Mann and Whitney 1947).

    The normal approximation with corrections for ties and continuity, as `scipy.stats.mannwhitneyu` has it. That module
    takes a second to import, in the run of a page.

    Parameters
    ----------
    reference
        Sorted, float64 [n].
    windows
        float64 [k, m].

    Returns
    -------
    The share of pairs in which the row's value is larger, equal ones counted half, float64 [k]; and the one-sided
    p-values, float64 [k], 1 where all values are the same.
    """
    n, (rows, m) = reference.size, windows.shape
    pairs, total = n * m, n + m
    below = np.searchsorted(reference, windows, "left") + np.searchsorted(reference, windows, "right")
    larger = below.sum(axis=1) / 2
    pooled = np.sort(np.concatenate([np.broadcast_to(reference, (rows, n)), windows], axis=1), axis=1)
    ties = np.array([_tied(row) for row in pooled])
    spread = np.sqrt(pairs / 12 * (total + 1 - ties / (total * (total - 1))))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = (larger - pairs / 2 - 0.5) / spread
    return larger / pairs, np.where(spread > 0, special.ndtr(-steps), 1.0)


def _tied(row: NDArray[np.float64]) -> float:
    """Return the sum of t³ - t over groups of t equal values in a sorted row."""
    edges = np.flatnonzero(np.diff(row, prepend=-np.inf, append=np.inf))
    sizes = np.diff(edges).astype(np.float64)
    return float((sizes**3 - sizes).sum())


def windows_of(count: int) -> int:
    """Return the number of whole windows after the reference among this many accepted parts."""
    return max(0, count - REFERENCE) // WINDOW


def compare_windows(reference: ArrayLike, later: Sequence[float]) -> list[Comparison]:
    """Compare every whole window of later scores with the reference, oldest first.

    Parameters
    ----------
    reference
        The first `REFERENCE` accepted scores.
    later
        Accepted scores in order, from the beginning of a window.
    """
    whole = len(later) // WINDOW
    if not whole:
        return []
    return _compare_rows(reference, np.reshape(later[: whole * WINDOW], (whole, WINDOW)))


def control_chart(reference: ArrayLike, scores: ArrayLike) -> ControlChart | None:
    """Return the moving average of scores, with limits from the reference (EWMA chart, Roberts 1959).

    The logarithm makes scores, which have no upper end, nearly symmetric. Scores below the reference's
    fifth percentile are raised to it: one image of the bank itself must not bend the average.

    Returns
    -------
    None where the reference has scores of 0, or all the same.
    """
    normal = np.asarray(reference, np.float64)
    floor = float(np.quantile(normal, 0.05))
    if floor <= 0:
        return None
    logs = np.log(np.maximum(normal, floor))
    centre, spread = float(logs.mean()), float(logs.std(ddof=1))
    if spread == 0:
        return None
    steps = np.log(np.maximum(np.asarray(scores, np.float64), floor)) - centre
    average = np.empty(len(steps))
    latest = 0.0
    for place, step in enumerate(steps.tolist()):
        latest += WEIGHT * (step - latest)
        average[place] = latest
    width = LIMIT * spread * np.sqrt(WEIGHT / (2 - WEIGHT))
    return ControlChart(
        np.exp(average + centre),
        float(np.exp(centre)),
        float(np.exp(centre - width)),
        float(np.exp(centre + width)),
    )
