"""Thresholds from good images alone, each with its promise, or the lack of one, in words.

The scores must come from images outside the bank, or be leave-one-image-out scores. Scores of the images that built a
bank are near zero by construction and say nothing.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patchcore.errors import SettingsError
from patchcore.statistics.intervals import Interval, clopper_pearson, count, finite_scores, percent
from patchcore.thresholds.declaration import GOOD, Parameter, Rule, percentage

TAIL_START = 0.85  # quantile of the good scores over which the tail is fitted
TAIL_LEAST = 10  # least number of scores in the tail that say something about its shape
ALIKE = 0.01  # scores that differ by less of the largest say nothing of a further part


@dataclass(frozen=True)
class GoodThreshold:
    """A threshold set from good images, and its evidence.

    Parameters
    ----------
    value
        The score above which an image is rejected; None when the images are too few for the budget.
    needed
        Number of further good images that the budget needs; 0 when there are enough.
    statement
        Its promise, or the reason for the lack of one, in a sentence or two.
    interval
        Clopper-Pearson interval of the false-reject rate; None without a value or without a promise.
    budget
        Share of good parts that may be rejected.
    n_good, n_rejected
        Number of good images it was set from, and how many of these it rejects.
    provisional
        Whether its budget follows from the number of images, not from the user.
    extrapolated
        Whether it follows from a fitted curve beyond the images.
    """

    value: float | None
    needed: int
    statement: str
    interval: Interval | None
    budget: float
    n_good: int
    n_rejected: int = 0
    provisional: bool = False
    extrapolated: bool = False


def from_good(scores: ArrayLike, budget: float, confidence: float = 0.95) -> GoodThreshold:
    """Set a threshold that keeps to a false-reject budget, by the split-conformal rule.

    It is the ceil((n + 1)(1 - budget))-th smallest of the n good scores. A further good part scores more with
    a chance of at most the budget, for any distribution of scores, as long as it is made and photographed like these
    (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005; Papadopoulos et al., 2002).
    Leave-one-image-out scores come from banks smaller by one image, which errs on the side of a higher threshold.
    Scores that hardly differ, as of one picture again and again, promise nothing; the statement says so.

    Parameters
    ----------
    scores
        [n] scores of good images outside the bank, or leave-one-image-out.
    budget
        Share of good parts that may be rejected, between 0 and 1; 0.005 for 1 in 200.
    confidence
        Confidence level of the interval.

    Raises
    ------
    DataError
        No scores, or some that are not numbers.
    SettingsError
        The budget is not between 0 and 1.

    Examples
    --------
    >>> from_good(range(1, 100), 0.05).value
    95.0
    >>> from_good(range(1, 100), 0.005).needed
    100
    """
    values = np.sort(finite_scores(scores))
    n, least = values.size, images_needed(budget)
    if n < least:
        statement = (
            f"No threshold can promise {promise(budget)} from {count(n, 'good image')}: "
            f"at least {count(least - n, 'more good image')} {'is' if least - n == 1 else 'are'} needed."
        )
        return GoodThreshold(None, least - n, statement, None, budget, n)
    rank = conformal_rank(n, budget)
    value = float(values[rank - 1])
    rejected = int(np.count_nonzero(values > value))
    if no_promise := _why_no_promise(values):
        return GoodThreshold(value, 0, no_promise, None, budget, n, rejected)
    # Equal scores make fewer rejects than the rank implies; the upper end must not profit from that.
    interval = (
        clopper_pearson(rejected, n, confidence)[0],
        clopper_pearson(n - rank, n, confidence)[1],
    )
    statement = (
        f"Set from {count(n, 'good image')}: expect {false_rejects_in(budget)}, as long as parts and photographs stay "
        f"like these. With {confidence * 100:g} % confidence the rate lies between "
        f"{percent(interval[0])} and {percent(interval[1])}."
    )
    return GoodThreshold(value, 0, statement, interval, budget, n, rejected)


def provisional(scores: ArrayLike) -> GoodThreshold:
    """Set a first threshold at once, to the smallest budget that any number of good images allows: 1 in n + 1.

    It is the largest good score. Where the scores hardly differ, it promises nothing. Arguments and errors as for
    `from_good`.
    """
    n = finite_scores(scores).size
    found = from_good(scores, 1 / (n + 1))
    interval = found.interval
    if interval is None:  # 1 in n + 1 is the budget that n images just allow, so their scores are alike
        return replace(found, provisional=True)
    statement = (
        f"Provisional, set from the worst of {count(n, 'good image')}: expect about 1 false reject in {n:,}, as long "
        f"as parts and photographs stay like these. With 95 % confidence the rate is below {percent(interval[1])}; "
        "more good images allow a stricter promise."
    )
    return GoodThreshold(found.value, 0, statement, interval, 1 / (n + 1), n, provisional=True)


def from_quantile(scores: ArrayLike, share: float) -> GoodThreshold:
    """Set the threshold that rejects at most a share of these very images, without a promise about further ones.

    Parameters
    ----------
    scores
        [n] scores of good images.
    share
        Share of them that may be rejected, 0 to below 1.
    """
    values = np.sort(finite_scores(scores))
    if not 0 <= share < 1:
        raise SettingsError(f"The share to reject is at least 0 and below 1, not {share:g}.")
    allowed = math.floor(share * values.size + 1e-9)
    value = float(values[values.size - 1 - allowed])
    rejected = int(np.count_nonzero(values > value))
    seen = count(values.size, "good image")
    above = (
        f"{rejected} of these {seen} score above it"
        if rejected != 1
        else f"1 of these {seen} scores above it"
    )
    statement = f"{above}; it promises nothing about further parts."
    interval = clopper_pearson(rejected, values.size)
    return GoodThreshold(value, 0, statement, interval, share, values.size, rejected, provisional=True)


def extrapolated(scores: ArrayLike, budget: float) -> GoodThreshold:
    """Extrapolate to a smaller budget than the images support, by a fitted tail; the statement calls it a guess.

    A generalised Pareto distribution is fitted to the excesses over a high quantile (Pickands, 1975; Coles, "An
    Introduction to Statistical Modeling of Extreme Values", 2001, chapter 4). Arguments and errors as for
    `from_good`; `value` is None where there are too few or too equal scores to fit.
    """
    values = finite_scores(scores)
    images_needed(budget)
    n = values.size
    start = float(np.quantile(values, TAIL_START, method="higher"))
    excess = values[values > start] - start
    if excess.size < TAIL_LEAST or np.ptp(excess) == 0:
        more = max(1, math.ceil(TAIL_LEAST / (1 - TAIL_START)) + 2 - n)
        reason = f"about {more} more are needed" if excess.size < TAIL_LEAST else "their scores are all alike"
        statement = f"No tail can be fitted to {count(n, 'good image')}: {reason}."
        return GoodThreshold(None, more if excess.size < TAIL_LEAST else 0, statement, None, budget, n)
    if budget >= excess.size / n:
        value, shape = float(np.quantile(values, 1 - budget, method="higher")), None
    else:
        from scipy import stats  # late: its import takes a second of a process, and few processes extrapolate

        with np.errstate(all="ignore"):  # the search tries shapes under which some scores are impossible
            shape, _, scale = stats.genpareto.fit(excess, floc=0)
        value = start + float(stats.genpareto.isf(budget * n / excess.size, shape, scale=scale))
    rejected = int(np.count_nonzero(values > value))
    fit = "" if shape is None else f" (generalised Pareto over the highest {excess.size}, shape {shape:.2f})"
    statement = (
        f"Extrapolation, not a promise: if the tail of the {count(n, 'good image')} goes on as it begins{fit}, "
        f"{promise(budget).removeprefix('at most ')} would be rejected."
    )
    return GoodThreshold(value, 0, statement, None, budget, n, rejected, extrapolated=True)


def images_needed(budget: float) -> int:
    """Return the least number of good images with which `from_good` can keep to a budget.

    Raises
    ------
    SettingsError
        The budget is not between 0 and 1.
    """
    if not 0 < budget < 1:
        raise SettingsError(
            f"The false-reject budget lies between 0 and 1, such as 0.005 for 1 in 200, not {budget:g}."
        )
    return max(1, math.ceil(1 / budget - 1 - 1e-9))


def conformal_rank(n: int, budget: float) -> int:
    """Return the rank among n ascending scores that keeps to a budget; beyond n where they are too few for it."""
    return math.ceil((n + 1) * (1 - budget) - 1e-9)


def promise(budget: float) -> str:
    """Return a budget in words: "at most 1 good part in 200"."""
    parts = round(1 / budget)
    if abs(parts * budget - 1) < 1e-6 and parts >= 2:
        return f"at most 1 good part in {parts:,}"
    return f"at most {budget * 100:.3g} % of good parts"


def false_rejects_in(budget: float) -> str:
    """Return a budget as false rejects to expect: "at most 1 false reject in 200 good parts"."""
    parts = round(1 / budget)
    if abs(parts * budget - 1) < 1e-6 and parts >= 2:
        return f"at most 1 false reject in {parts:,} good parts"
    return f"at most {budget * 100:.3g} % of good parts to be rejected"


def _why_no_promise(values: NDArray[np.float64]) -> str:
    """Return why ascending scores promise nothing about further parts, with the remedy; "" where they do."""
    lowest, highest = float(values[0]), float(values[-1])
    if highest - lowest > ALIKE * highest:
        return ""
    if values.size == 1:
        which, why = "1 good image", "one score does not show"
    else:
        which = count(values.size, "good image")
        why = f"their scores hardly differ ({lowest:.4g} to {highest:.4g}), so they do not show"
    return (
        f"Set from {which}, without a promise: {why} how good parts vary. Add images of other good parts, each "
        "photographed by itself."
    )


def _budget(usual: float) -> Parameter:
    """Declare a false-reject budget, which its field shows as n of "1 good part in n"."""
    return Parameter(
        usual,
        "1 good part in",
        "The budget: of how many good parts one may be rejected.",
        "one in",
        least=2,
        most=1_000_000,
        step=10,
        words=promise,
    )


BUDGET = Rule(
    "from_good",
    "Reject at most a share of good parts",
    from_good,
    needs=GOOD,
    good_only=True,
    parameters={"budget": _budget(1 / 200)},
    choice="Reject at most 1 good part in …",
    review="What scores like the worst 1 good part in …",
    pixel="At most 1 good part in … shows a region",
    report="Reject {budget}",
    brief="rejects at most {budget} of good parts",
)
PROVISIONAL = Rule(
    "provisional",
    "From the worst of these good images",
    provisional,
    needs=GOOD,
    good_only=True,
    pixel="From the worst of these good images",
    brief="set from the worst of {good_images}",
)
QUANTILE = Rule(
    "from_quantile",
    "Reject a share of these images",
    from_quantile,
    needs=GOOD,
    good_only=True,
    parameters={
        "share": percentage(0.01, "Share of these images, %", "These very images, without a promise.")
    },
    choice="Reject a share of these good images, no promise",
    rank=4,
    report="Reject {share} of these good images",
    brief="rejects {share} of these good images",
)
EXTRAPOLATED = Rule(
    "extrapolated",
    "Extrapolate to rarer rejects",
    extrapolated,
    needs=GOOD,
    good_only=True,
    parameters={"budget": _budget(1 / 1000)},
    choice="Rarer than the images can show, extrapolated",
    rank=4,
    report="Extrapolate until {budget} is rejected",
    brief="extrapolated to {budget} of good parts",
)
