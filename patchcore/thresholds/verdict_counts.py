"""Verdicts on labelled images: counts, and rates with their intervals."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from patchcore.statistics.curves import Measure, Undefined
from patchcore.statistics.intervals import Interval, clopper_pearson, count
from patchcore.statistics.stratified import SampledRate
from patchcore.thresholds.label_basis import A_SET, LabelBasis
from patchcore.thresholds.operating_point import Verdict


@dataclass(frozen=True)
class Rate:
    """A rate with its confidence interval.

    Parameters
    ----------
    events, trials
        Number of images with the event, and of all images.
    estimate
        The rate of all images that a random sample was drawn from, where the labels are such a sample.
    missing
        Why the counts give no rate; empty where they do.
    """

    events: int
    trials: int
    estimate: SampledRate | None = None
    missing: str = ""

    @property
    def value(self) -> Measure:
        """The rate, 0 to 1."""
        if reason := self._undefined():
            return Undefined(reason)
        return self.events / self.trials if self.estimate is None else self.estimate.value

    @property
    def interval(self) -> Interval | Undefined:
        """Interval of the rate at 95 % confidence: Clopper-Pearson, or of a random sample (`stratified`)."""
        if reason := self._undefined():
            return Undefined(reason)
        return clopper_pearson(self.events, self.trials) if self.estimate is None else self.estimate.interval

    def _undefined(self) -> str:
        return self.missing if self.trials else "There are no such images."


@dataclass(frozen=True)
class VerdictCounts:
    """Verdicts on good images and on defects, counted.

    Parameters
    ----------
    good, defects
        Images of either kind that have a verdict.
    false_rejects, good_in_review
        Good images that are rejected, or sent to review.
    escapes, defects_in_review
        Defects that are accepted, or sent to review.
    basis
        How their labels came about.
    """

    good: int
    false_rejects: int
    good_in_review: int
    defects: int
    escapes: int
    defects_in_review: int
    basis: LabelBasis = A_SET

    @property
    def caught(self) -> int:
        """Defects that are rejected."""
        return self.defects - self.escapes - self.defects_in_review

    @property
    def review(self) -> int:
        """Images of either kind that are sent to review."""
        return self.good_in_review + self.defects_in_review

    @property
    def false_reject_rate(self) -> Rate:
        """Share of the good images that are rejected."""
        return Rate(self.false_rejects, self.good, self.basis.false_rejects(), self.basis.missing)

    @property
    def escape_rate(self) -> Rate:
        """Share of the defects that are accepted."""
        return Rate(self.escapes, self.defects, self.basis.escapes(), self.basis.missing)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; an interval is None where there is none."""
        return {
            "good": self.good,
            "false_rejects": self.false_rejects,
            "defects": self.defects,
            "escapes": self.escapes,
            "review": self.review,
            "caught": self.caught,
            "false_reject_interval": _plain(self.false_reject_rate.interval),
            "escape_interval": _plain(self.escape_rate.interval),
        }


def counts_words(counts: VerdictCounts) -> str:
    """Return in a sentence how labelled images are judged; every sentence that counts verdicts is this one."""
    parts = []
    if counts.good:
        parts.append(f"rejects {counts.false_rejects} of {count(counts.good, 'good image')}")
    if counts.defects:
        parts.append(f"accepts {counts.escapes} of {count(counts.defects, 'defect')}")
    if not parts:
        return "No image with a label is known."
    sentence = f"It {' and '.join(parts)}"
    review = [
        count(number, noun)
        for number, noun in ((counts.good_in_review, "good image"), (counts.defects_in_review, "defect"))
        if number
    ]
    return f"{sentence}; {' and '.join(review)} {_go(counts.review)} to review." if review else f"{sentence}."


def unlabelled_words(verdicts: Iterable[Verdict | None]) -> str:
    """Return in a sentence how images without a label are judged; empty where there are none with a verdict."""
    found = [verdict for verdict in verdicts if verdict]
    if not found:
        return ""
    rejected, review = found.count("reject"), found.count("review")
    words = f"Of {count(len(found), 'image')} without a label it rejects {rejected}"
    return f"{words}; {review} {_go(review)} to review." if review else f"{words}."


def _go(number: int) -> str:
    return "goes" if number == 1 else "go"


def error_of(is_defect: bool | None, verdict: str | None) -> Literal["escape", "false reject", ""]:
    """Return the error of a verdict in words, empty where it is right, a person decides, or the truth is unknown.

    Parameters
    ----------
    is_defect
        The truth; None where nobody knows it.
    """
    if is_defect and verdict == "accept":
        return "escape"
    return "false reject" if is_defect is False and verdict == "reject" else ""


def count_verdicts(
    judged: Iterable[tuple[bool, str | None]], basis: LabelBasis = A_SET
) -> VerdictCounts | None:
    """Count the verdicts of images, each with whether it is a defect, labelled on a basis; None if none has one."""
    found = [(is_defect, verdict) for is_defect, verdict in judged if verdict]
    good = [verdict for is_defect, verdict in found if not is_defect]
    defects = [verdict for is_defect, verdict in found if is_defect]
    if not found:
        return None
    return VerdictCounts(
        len(good),
        good.count("reject"),
        good.count("review"),
        len(defects),
        defects.count("accept"),
        defects.count("review"),
        basis,
    )


def _plain(interval: Interval | Undefined) -> list[float] | None:
    return None if isinstance(interval, Undefined) else list(interval)
