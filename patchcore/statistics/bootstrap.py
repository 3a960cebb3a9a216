"""Intervals by stratified bootstrap: good images and defects are resampled separately, with a seed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patchcore.errors import DataError
from patchcore.statistics.intervals import Interval, finite_scores

Indices = NDArray[np.intp]
CONFIDENCE = 0.95


def stratified_interval(
    statistic: Callable[[Indices, Indices], float],
    n_good: int,
    n_defect: int,
    *,
    repeats: int = 1000,
    seed: int = 0,
) -> Interval:
    """Give the 95 % percentile interval of a statistic over images drawn with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Parameters
    ----------
    statistic
        Takes the drawn positions of good images, int [n_good], and of defects, int [n_defect].
    n_good, n_defect
        Images of either kind, at least one each.
    repeats, seed
        Number of samples, and the seed; the same seed gives the same interval.
    """
    if min(n_good, n_defect) < 1:
        raise DataError("An interval needs at least one good image and one defect.")
    rng = np.random.default_rng(seed)
    values = [
        statistic(rng.integers(n_good, size=n_good), rng.integers(n_defect, size=n_defect))
        for _ in range(repeats)
    ]
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def auroc_interval(good: ArrayLike, defect: ArrayLike, *, repeats: int = 1000, seed: int = 0) -> Interval:
    """Give the interval of the image AUROC; arguments as for `auroc_difference`."""
    wins = _wins(good, defect)
    return stratified_interval(lambda g, d: _mean(wins, g, d), *wins.shape, repeats=repeats, seed=seed)


def auroc_difference(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    repeats: int = 1000,
) -> tuple[float, Interval]:
    """Return the difference of two inspectors' AUROCs on the same images, and its paired interval.

    Parameters
    ----------
    first, second
        Good and defect scores, ([n], [m]), of the same images in the same order.
    repeats
        As for `stratified_interval`.
    """
    ours, theirs = _wins(*first), _wins(*second)
    if ours.shape != theirs.shape:
        raise DataError(
            "Two inspectors are compared on the same images; these scored different numbers of them."
        )
    gain = ours - theirs
    interval = stratified_interval(lambda g, d: _mean(gain, g, d), *gain.shape, repeats=repeats)
    return float(gain.mean(dtype=np.float64)), interval


def _wins(good: ArrayLike, defect: ArrayLike) -> NDArray[np.float32]:
    """Return wins of defects over good images, [n, m]: 1, for a tie a half, else 0. Their mean is the AUROC."""
    passed, caught = finite_scores(good)[:, None], finite_scores(defect, "defect")[None, :]
    wins: NDArray[np.float32] = (caught > passed).astype(np.float32) + (caught == passed) * np.float32(0.5)
    return wins


def _mean(table: NDArray[np.float32], rows: Indices, columns: Indices) -> float:
    """Return the mean over drawn rows and columns, weighted by their counts; the table is never copied."""
    n, m = table.shape
    row_counts = np.bincount(rows, minlength=n).astype(np.float32)
    column_counts = np.bincount(columns, minlength=m).astype(np.float64)
    total = float(np.dot(row_counts @ table, column_counts))
    return total / table.size
