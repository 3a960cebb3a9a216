"""Rates in a finite population, estimated from a stratified random sample, with intervals that hold for few images.

Images are drawn without replacement from groups of known size (strata). A sampled image stands for size / sampled
images of its stratum (Horvitz and Thompson, "A generalization of sampling without replacement from a finite universe",
Journal of the American Statistical Association 47, 1952).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from patchcore.errors import DataError
from patchcore.statistics.curves import Measure, Undefined
from patchcore.statistics.intervals import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Stratum:
    """A group of images of which some were drawn at random and labelled.

    Parameters
    ----------
    size
        Images of the group.
    sampled
        Images drawn and labelled.
    events
        Sampled images of the class that the rate is about, such as defects.
    counted
        Whether an image of this class in this group has the event, such as a defect among accepted images.
    """

    size: int
    sampled: int
    events: int
    counted: bool

    def __post_init__(self) -> None:
        """Refuse counts that no sample has."""
        if not 0 <= self.events <= self.sampled <= self.size:
            raise DataError(
                f"A sample has no more events than images, and no more images than its group: {self.events} events, "
                f"{self.sampled} images, a group of {self.size}."
            )

    def most(self, tail: float) -> int:
        """Return the largest number of events in the group that the sample allows, passed with a chance of `tail`."""
        return largest_count(self.events, self.sampled, self.size, tail)

    def least(self, tail: float) -> int:
        """Return the least number of events in the group that the sample allows, passed with a chance of `tail`."""
        return self.size - largest_count(self.sampled - self.events, self.sampled, self.size, tail)

    @property
    def uncertain_above(self) -> bool:
        """Whether `most` may be wrong."""
        return 0 < self.sampled < self.size and self.events < self.sampled

    @property
    def uncertain_below(self) -> bool:
        """Whether `least` may be wrong."""
        return 0 < self.sampled < self.size and self.events > 0


@dataclass(frozen=True)
class SampledRate:
    """An estimated rate: images with the event, in all images of the class.

    Attributes
    ----------
    value
        The estimate, 0 to 1; undefined where a group has no sample, or no image of the class was found.
    interval
        Interval of the rate at a confidence of at least 95 %.
    count_interval
        Interval of the number of images with the event, at a confidence of at least 95 %.
    population
        Images among which these lie.
    """

    value: Measure
    interval: Interval
    count_interval: tuple[int, int]
    population: int


def sampled_rate(strata: Iterable[Stratum]) -> SampledRate:
    """Estimate a rate from samples of all groups that make up the population.

    The interval holds for any number of images: each uncertain count has an exact bound (`largest_count`), and the
    bounds of one end share its chance of error equally (Bonferroni). A group whose images are all labelled has none.
    """
    found = [one for one in strata if one.size]
    counted, others = ([one for one in found if one.counted == wanted] for wanted in (True, False))
    tail = _tail(sum(one.uncertain_above for one in counted) + sum(one.uncertain_below for one in others))
    most, rest = sum(one.most(tail) for one in counted), sum(one.least(tail) for one in others)
    high = most / (most + rest) if most else 0.0
    tail = _tail(sum(one.uncertain_below for one in counted) + sum(one.uncertain_above for one in others))
    least, rest = sum(one.least(tail) for one in counted), sum(one.most(tail) for one in others)
    low = least / (least + rest) if least else 0.0
    return SampledRate(
        _estimate(counted, others),
        (low, high),
        (
            sum(one.least(_tail(sum(each.uncertain_below for each in counted))) for one in counted),
            sum(one.most(_tail(sum(each.uncertain_above for each in counted))) for one in counted),
        ),
        sum(one.size for one in counted),
    )


def largest_count(events: int, sampled: int, size: int, tail: float) -> int:
    """Return the largest number of events in a group that leaves `events` or fewer in the sample a chance above `tail`.

    It inverts the hypergeometric distribution, as Clopper and Pearson invert the binomial one (Buonaccorsi, "A note on
    confidence intervals for proportions in finite populations", The American Statistician 41, 1987).

    Examples
    --------
    >>> largest_count(0, 20, 200, 0.025)
    32
    """
    low, high = events, size - (sampled - events)
    while low < high:  # the chance falls as the number rises
        middle = (low + high + 1) // 2
        if _chance_of_at_most(events, middle, sampled, size) > tail:
            low = middle
        else:
            high = middle - 1
    return low


def _tail(bounds: int) -> float:
    """Return the chance of error of each of so many bounds at one end of an interval."""
    return (1 - CONFIDENCE) / 2 / max(1, bounds)


def _estimate(counted: Sequence[Stratum], others: Sequence[Stratum]) -> Measure:
    bare = sum(one.size for one in (*counted, *others) if not one.sampled)
    if bare:
        return Undefined(f"None of {bare:,} images of this batch is in the sample; label some of them.")
    hits, rest = (sum(one.size * one.events / one.sampled for one in group) for group in (counted, others))
    if not hits + rest:
        return Undefined("The sample has no such image.")
    return hits / (hits + rest)


def _chance_of_at_most(events: int, total: int, sampled: int, size: int) -> float:
    """Return the chance of at most so many events in a sample from a group that has `total` of them."""
    i = np.arange(max(0, sampled - (size - total)), min(events, total) + 1)
    ways = _log_ways(total, i) + _log_ways(size - total, sampled - i) - _log_ways(size, np.array(sampled))
    return float(np.exp(ways).sum())


def _log_ways(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithm of the number of ways to choose `k` of `n`."""
    return np.asarray(
        special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1), np.float64
    )
