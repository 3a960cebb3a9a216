"""What verdicts do to labelled images: rates with intervals, and the same for each defect type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchcore.curves import Measure, Undefined, measures_to_dict
from patchcore.intervals import Interval, clopper_pearson
from patchcore.labelled_score import LabelledScore
from patchcore.metrics import ImageMetrics, PixelResult


@dataclass(frozen=True)
class Rate:
    """How often something happened, and what that says of how often it will.

    Parameters
    ----------
    events, trials
        So many of so many images.
    """

    events: int
    trials: int

    @property
    def value(self) -> Measure:
        """The rate, 0 to 1."""
        return self.events / self.trials if self.trials else Undefined("There are no such images.")

    @property
    def interval(self) -> Interval | Undefined:
        """Clopper-Pearson interval of the rate at 95 % confidence."""
        if not self.trials:
            return Undefined("There are no such images.")
        return clopper_pearson(self.events, self.trials)


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
    """

    good: int
    false_rejects: int
    good_in_review: int
    defects: int
    escapes: int
    defects_in_review: int

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
        return Rate(self.false_rejects, self.good)

    @property
    def escape_rate(self) -> Rate:
        """Share of the defects that are accepted."""
        return Rate(self.escapes, self.defects)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, for JSON; an interval is None where there are no such images."""
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


@dataclass(frozen=True)
class TypeRow:
    """One defect type in a table.

    Parameters
    ----------
    defect_type, count
        Its name, and how many images show it.
    caught, in_review, escaped
        Images rejected, sent to review, accepted; None without an operating point.
    auroc
        Of its images beside all good ones.
    aupro
        Of its images that have a mask, beside all good ones.
    worst_name, worst_score
        Its lowest-scoring image: the one that is missed first.
    """

    defect_type: str
    count: int
    caught: int | None
    in_review: int | None
    escaped: int | None
    auroc: Measure
    aupro: Measure
    worst_name: str
    worst_score: float

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, for JSON; None beside a reason where undefined."""
        return vars(self) | measures_to_dict({"auroc": self.auroc, "aupro": self.aupro})


def count_verdicts(scored: Sequence[LabelledScore]) -> VerdictCounts | None:
    """Count the verdicts of those that have one; None if none has."""
    good = [item.verdict for item in scored if item.verdict and not item.is_defect]
    defects = [item.verdict for item in scored if item.verdict and item.is_defect]
    if not good and not defects:
        return None
    return VerdictCounts(
        len(good),
        good.count("reject"),
        good.count("review"),
        len(defects),
        defects.count("accept"),
        defects.count("review"),
    )


def type_rows(
    scored: Sequence[LabelledScore],
    image: Mapping[str, ImageMetrics],
    pixel: Mapping[str, PixelResult],
) -> list[TypeRow]:
    """Give a row for each defect type, by name.

    Parameters
    ----------
    scored
        All labelled images.
    image, pixel
        Metrics by defect type; a type may lack pixel metrics.
    """
    return [
        _row(kind, [item for item in scored if item.defect_type == kind], metrics.auroc, pixel.get(kind))
        for kind, metrics in sorted(image.items())
    ]


def _row(kind: str, items: list[LabelledScore], auroc: Measure, pixel: PixelResult | None) -> TypeRow:
    counts = count_verdicts(items)
    lowest = min(items, key=lambda item: item.score)
    no_mask = Undefined("No image of this type has a mask that could be counted.")
    return TypeRow(
        kind,
        len(items),
        counts.caught if counts else None,
        counts.defects_in_review if counts else None,
        counts.escapes if counts else None,
        auroc,
        pixel.aupro if pixel else no_mask,
        lowest.name,
        lowest.score,
    )


def _plain(interval: Interval | Undefined) -> list[float] | None:
    return None if isinstance(interval, Undefined) else list(interval)
