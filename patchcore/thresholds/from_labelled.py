"""Thresholds from labelled images: no escapes, no false rejects, best balance, least cost, ceilings, by hand."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from patchcore.errors import SettingsError
from patchcore.statistics.curves import between
from patchcore.statistics.intervals import clopper_pearson, count, finite_scores, percent
from patchcore.thresholds.declaration import DEFECT, GOOD, NO_IMAGES, Parameter, Rule, percentage
from patchcore.thresholds.verdict_counts import VerdictCounts, counts_words


@dataclass(frozen=True)
class LabelledThreshold:
    """A threshold set from labelled images: their verdict counts, and the rule's meaning in a sentence.

    `meaning_alone` is the meaning for images that are no sample of the parts: without a rate on the line.
    """

    value: float
    outcome: VerdictCounts
    meaning: str
    meaning_alone: str

    @property
    def statement(self) -> str:
        """The meaning with the counts."""
        return f"{self.meaning} {counts_words(self.outcome)}"


def outcome(
    good: ArrayLike, defect: ArrayLike, threshold: float, accept: float | None = None
) -> VerdictCounts:
    """Count verdicts by score: of the scores [n] and [m], those above the threshold are rejected.

    Scores above `accept`, up to the threshold, go to review; None: no image does. Either kind may be empty.
    """
    passed, caught = np.asarray(good, np.float64), np.asarray(defect, np.float64)
    low = threshold if accept is None else min(accept, threshold)
    rejected = [int(np.count_nonzero(scores > threshold)) for scores in (passed, caught)]
    review = [
        int(np.count_nonzero(scores > low)) - hits
        for scores, hits in zip((passed, caught), rejected, strict=True)
    ]
    escapes = int(np.count_nonzero(caught <= low))
    return VerdictCounts(passed.size, rejected[0], review[0], caught.size, escapes, review[1])


def no_escapes(good: ArrayLike, defect: ArrayLike) -> LabelledThreshold:
    """Set the highest threshold that lets no known defect through; `good` may be empty."""
    lowest = float(finite_scores(defect, "defect").min())
    every = np.concatenate([np.asarray(good, np.float64), np.asarray(defect, np.float64)])
    value = between(float(np.max(every, initial=-math.inf, where=every < lowest)), lowest)
    return _told(good, defect, value, "Lets no known defect through.")


def no_false_rejects(good: ArrayLike, defect: ArrayLike) -> LabelledThreshold:
    """Set the lowest threshold that rejects no known good image; `defect` may be empty."""
    highest = float(finite_scores(good).max())
    every = np.asarray(defect, np.float64)
    above = float(np.min(every, initial=math.inf, where=every > highest))
    value = highest if math.isinf(above) else between(highest, above)
    return _told(good, defect, value, "Rejects no known good image.")


def f1_max(good: ArrayLike, defect: ArrayLike) -> LabelledThreshold:
    """Set the threshold of the largest F1 (the harmonic mean of precision and recall of defects)."""
    ways = _Ways(good, defect)
    hits = ways.m - ways.escapes
    value = ways.best(2 * hits / (hits + ways.false_rejects + ways.m))
    return _told(good, defect, value, "Largest F1.")


def youden(good: ArrayLike, defect: ArrayLike) -> LabelledThreshold:
    """Set the threshold at which the rates of caught defects and of accepted good ones add up to most.

    Youden, "Index for rating diagnostic tests", Cancer 3, 1950.
    """
    ways = _Ways(good, defect)
    # In whole numbers, so that equal sums are equal.
    value = ways.best(-ways.escapes * ways.n - ways.false_rejects * ways.m)
    return _told(good, defect, value, "Best sum of both rates.")


def cheapest(good: ArrayLike, defect: ArrayLike, cost_ratio: float, defect_rate: float) -> LabelledThreshold:
    """Set the threshold of the least expected cost.

    Parameters
    ----------
    good, defect
        [n], [m] scores.
    cost_ratio
        False rejects that one escape costs, above 0.
    defect_rate
        Share of defects on the line, between 0 and 1; a labelled set seldom has the same share.
    """
    if not (cost_ratio > 0 and math.isfinite(cost_ratio)):
        raise SettingsError(f"An escape costs more than 0 false rejects, not {cost_ratio:g}.")
    if not 0 < defect_rate < 1:
        raise SettingsError(f"The share of defects on the line lies between 0 and 1, not {defect_rate:g}.")
    ways = _Ways(good, defect)
    costs = (1 - defect_rate) * ways.false_rejects / ways.n + defect_rate * cost_ratio * ways.escapes / ways.m
    value = ways.best(-costs)
    found = outcome(good, defect, value)
    wasted = (1 - defect_rate) * found.false_rejects / found.good
    cost = wasted + defect_rate * cost_ratio * found.escapes / found.defects
    premise = (
        f"Cheapest when an escape costs {cost_ratio:g} false rejects and {percent(defect_rate)} of parts are "
        "defective"
    )
    words = f"{premise}: {cost * 1000:.3g} false rejects' worth per 1,000 parts."
    return _told(good, defect, value, words, f"{premise}, by these images alone.")


def false_reject_ceiling(good: ArrayLike, defect: ArrayLike, ceiling: float) -> LabelledThreshold:
    """Set the lowest threshold that rejects at most a share of the known good images."""
    _check_share(ceiling)
    ways = _Ways(good, defect)
    fits = ways.false_rejects <= ceiling * ways.n + 1e-9
    words = f"Catches most while rejecting at most {percent(ceiling)} of the known good images."
    return _told(good, defect, ways.best(np.where(fits, -ways.escapes, -math.inf)), words)


def escape_ceiling(good: ArrayLike, defect: ArrayLike, ceiling: float) -> LabelledThreshold:
    """Set the threshold that rejects fewest good images while at most a share of the known defects escapes."""
    _check_share(ceiling)
    ways = _Ways(good, defect)
    fits = ways.escapes <= ceiling * ways.m + 1e-9
    words = f"Rejects fewest while at most {percent(ceiling)} of the known defects escape."
    return _told(good, defect, ways.best(np.where(fits, -ways.false_rejects, -math.inf)), words)


def fixed(good: ArrayLike, defect: ArrayLike, value: float) -> LabelledThreshold:
    """Take a threshold that a person chose, and count its verdicts; either kind of images may be empty."""
    if not math.isfinite(value):
        raise SettingsError(f"A threshold is a number, not {value}.")
    return _told(good, defect, value, f"Set by hand to {value:.4g}.")


def review_words(good: ArrayLike, accept: float, reject: float) -> str:
    """State how many good images go to review: scores [n] above `accept`, up to `reject`."""
    passed = finite_scores(good)
    within = int(np.count_nonzero((passed > accept) & (passed <= reject)))
    low, high = clopper_pearson(within, passed.size)
    return (
        f"By score, about {percent(within / passed.size)} of parts go to review ({within} of "
        f"{count(passed.size, 'good image')}, {percent(low)} to {percent(high)})."
    )


class _Ways:
    """Every way to divide the images by a threshold: n + m + 1 at most, from rejecting all to rejecting none."""

    def __init__(self, good: ArrayLike, defect: ArrayLike) -> None:
        passed, caught = np.sort(finite_scores(good)), np.sort(finite_scores(defect, "defect"))
        self.n, self.m = passed.size, caught.size
        self.steps = np.concatenate([[-math.inf], np.unique(np.concatenate([passed, caught]))])
        self.false_rejects = self.n - np.searchsorted(passed, self.steps, side="right")
        self.escapes = np.searchsorted(caught, self.steps, side="right")

    def best(self, merit: NDArray[np.generic]) -> float:
        """Return a threshold of the greatest merit; among equals the lowest, where fewest defects escape."""
        place = int(np.argmax(merit))
        if place + 1 == self.steps.size:
            return float(self.steps[place])
        return between(float(self.steps[place]), float(self.steps[place + 1]))


def _told(
    good: ArrayLike, defect: ArrayLike, value: float, meaning: str, alone: str = ""
) -> LabelledThreshold:
    return LabelledThreshold(value, outcome(good, defect, value), meaning, alone or meaning)


def _check_share(ceiling: float) -> None:
    if not 0 <= ceiling < 1:
        raise SettingsError(f"A ceiling is a share of at least 0 and below 1, not {ceiling:g}.")


NO_ESCAPES = Rule(
    "no_escapes",
    "Let no known defect through",
    no_escapes,
    needs=DEFECT,
    rank=1,
    review="From the lowest known defect",
    brief="lets no known defect through",
)
NO_FALSE_REJECTS = Rule(
    "no_false_rejects",
    "Reject no known good part",
    no_false_rejects,
    needs=GOOD,
    rank=1,
    brief="rejects no known good part",
)
F1_MAX = Rule(
    "f1_max",
    "Largest F1",
    f1_max,
    needs=GOOD | DEFECT,
    choice="Best balance (largest F1)",
    rank=3,
    brief="best balance (largest F1)",
)
YOUDEN = Rule(
    "youden",
    "Best sum of both rates",
    youden,
    needs=GOOD | DEFECT,
    choice="Best sum of both rates (Youden)",
    rank=3,
    brief="best sum of both rates",
)
CHEAPEST = Rule(
    "cheapest",
    "Cheapest overall",
    cheapest,
    needs=GOOD | DEFECT,
    parameters={
        "cost_ratio": Parameter(
            50.0,
            "An escape costs as much as … false rejects",
            "A defect that reaches the customer, counted in good parts that are thrown away or checked again.",
            least=0.1,
            most=1e6,
            step=5,
            digits=1,
        ),
        "defect_rate": percentage(
            0.01, "Defects on the line, %", "It is seldom the share in the labelled set.", 99.0
        ),
    },
    rank=2,
    report="Cheapest overall, where an escape costs {cost_ratio} false rejects and {defect_rate} of parts are "
    "defective",
    brief="cheapest overall",
)
FALSE_REJECT_CEILING = Rule(
    "false_reject_ceiling",
    "Catch most, rejecting at most a share",
    false_reject_ceiling,
    needs=GOOD | DEFECT,
    parameters={"ceiling": percentage(0.01, "False rejects at most, %", "Of the known good images.")},
    choice="Catch most, rejecting at most a share of good parts",
    rank=2,
    report="Catch most, rejecting at most {ceiling} of good parts",
    brief="rejects at most {ceiling} of known good parts",
)
ESCAPE_CEILING = Rule(
    "escape_ceiling",
    "Reject fewest, letting at most a share through",
    escape_ceiling,
    needs=GOOD | DEFECT,
    parameters={"ceiling": percentage(0.01, "Escapes at most, %", "Of the known defects.")},
    choice="Reject fewest, letting at most a share of defects through",
    rank=2,
    report="Reject fewest, letting at most {ceiling} of defects through",
    brief="accepts at most {ceiling} of known defects",
)
FIXED = Rule(
    "by_hand",
    "By hand",
    fixed,
    needs=NO_IMAGES,
    parameters={"value": Parameter(math.nan, "Score", "Drag the line, or type the score here.", "score")},
    rank=5,
    review="By hand",
    pixel="By hand",
    report="Set by hand, at {value}",
    brief="set by hand",
)
