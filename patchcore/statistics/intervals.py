"""Intervals: exact confidence intervals of rates, and rates and counts in words."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from patchcore.errors import DataError

Interval = tuple[float, float]


def clopper_pearson(events: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a rate, from `events` in `trials`.

    Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934.
    """
    if not 0 <= events <= trials or trials < 1:
        raise DataError(
            f"A rate needs at least one trial and no more events than trials: {events} of {trials}."
        )
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(events, trials - events + 1, tail)) if events else 0.0
    high = float(special.betaincinv(events + 1, trials - events, 1 - tail)) if events < trials else 1.0
    return low, high


def finite_scores(scores: ArrayLike, kind: str = "good image") -> NDArray[np.float64]:
    """Check and convert scores, float64 [n].

    Raises
    ------
    DataError
        No scores, or a score that is not a finite number.
    """
    values = np.asarray(scores, np.float64).reshape(-1)
    odd = int(np.count_nonzero(~np.isfinite(values)))
    if values.size == 0:
        raise DataError(f"There is no score of a {kind} to set a threshold from.")
    if odd:
        raise DataError(f"{odd} of {values.size} scores of a {kind} are not finite numbers; leave them out.")
    return values


def percent(rate: float) -> str:
    """Say a rate with sensible digits: 0.05 %, 3.4 %, 12 %."""
    return f"{rate * 100:.2g} %" if rate < 0.1 else f"{rate * 100:.0f} %"


def count(number: int, noun: str) -> str:
    """Say a number of things: "1 good image", "2 good images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
