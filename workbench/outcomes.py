"""What thresholds do to the images that are known: verdicts, counts with their intervals, and what changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from patchcore.intervals import Interval, clopper_pearson
from patchcore.operating_point import OperatingPoint, Verdict
from workbench.evidence import Known
from workbench.tables import GOOD


@dataclass
class Verdicts:
    """How many images were accepted, sent to review, and rejected; `unjudged` have no map to be judged by."""

    accepted: int = 0
    review: int = 0
    rejected: int = 0
    unjudged: int = 0

    @property
    def total(self) -> int:
        """Images with a verdict."""
        return self.accepted + self.review + self.rejected

    def add(self, verdict: Verdict | None) -> None:
        """Count one image."""
        name = {"accept": "accepted", "review": "review", "reject": "rejected", None: "unjudged"}[verdict]
        setattr(self, name, getattr(self, name) + 1)


@dataclass
class Counts:
    """Verdicts on good images, on defects by type, and on images of which nothing is known."""

    good: Verdicts = field(default_factory=Verdicts)
    defects: dict[str, Verdicts] = field(default_factory=dict)
    unlabelled: Verdicts = field(default_factory=Verdicts)

    @property
    def defect(self) -> Verdicts:
        """Verdicts on defects of all types."""
        kinds = self.defects.values()
        return Verdicts(
            sum(kind.accepted for kind in kinds),
            sum(kind.review for kind in kinds),
            sum(kind.rejected for kind in kinds),
            sum(kind.unjudged for kind in kinds),
        )

    @property
    def false_reject_rate(self) -> float | None:
        """Share of good images that is rejected; None without good images."""
        return rate(self.good.rejected, self.good.total)

    @property
    def false_reject_interval(self) -> Interval | None:
        """Clopper-Pearson interval of the false-reject rate, 95 %; None without good images."""
        return interval(self.good.rejected, self.good.total)

    @property
    def escape_rate(self) -> float | None:
        """Share of defects that is accepted; None without defects."""
        return rate(self.defect.accepted, self.defect.total)

    @property
    def escape_interval(self) -> Interval | None:
        """Clopper-Pearson interval of the escape rate, 95 %; None without defects."""
        return interval(self.defect.accepted, self.defect.total)


def verdict_of(known: Known, point: OperatingPoint) -> Verdict | None:
    """Judge a known image as the point says; None where its map is needed and not stored.

    Raises
    ------
    SettingsError
        The thresholds are stale.
    """
    if point.judge_by == "score":
        return point.verdict(known.score)
    peak = known.map_peak(point.min_area)
    return None if peak is None else point.judge_by_peak(known.score, peak)


def outcome_counts(known: Iterable[Known], point: OperatingPoint) -> Counts:
    """Count the verdicts of a point on known images; errors as for `verdict_of`."""
    counts = Counts()
    for one in known:
        if one.truth is None:
            kind = counts.unlabelled
        elif one.truth == GOOD:
            kind = counts.good
        else:
            kind = counts.defects.setdefault(one.truth, Verdicts())
        kind.add(verdict_of(one, point))
    counts.defects = dict(sorted(counts.defects.items()))
    return counts


def changes(known: Iterable[Known], before: OperatingPoint, after: OperatingPoint) -> list[Known]:
    """Return the images on which two points give different verdicts; errors as for `verdict_of`."""
    return [one for one in known if verdict_of(one, before) != verdict_of(one, after)]


def rate(events: int, trials: int) -> float | None:
    """Return a share; None where nothing was tried."""
    return events / trials if trials else None


def interval(events: int, trials: int) -> Interval | None:
    """Return the Clopper-Pearson interval of a share, 95 %; None where nothing was tried."""
    return clopper_pearson(events, trials) if trials else None
