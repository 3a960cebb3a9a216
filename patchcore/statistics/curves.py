"""Curves and the areas under them, from one sweep of the threshold from the highest score to the lowest.

Images and pixels share this code; only the source of the counts differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Undefined:
    """A number that does not exist, with the reason; it stands in the number's place, so that nobody takes it for 0.

    Parameters
    ----------
    reason
        One sentence for the person who misses the number.
    """

    reason: str

    def __str__(self) -> str:
        """Return the words "not defined" with the reason."""
        return f"undefined: {self.reason}"


Measure = float | Undefined
Place = tuple[float, float]
"""(x, y) in the plane of a curve."""


@dataclass(frozen=True)
class Curve:
    """Points of a curve, from the strictest threshold to the loosest.

    Parameters
    ----------
    x, y
        float64 [n].
    thresholds
        float64 [n]; the point counts scores of this much or more. Infinite at the start.
    """

    x: Floats
    y: Floats
    thresholds: Floats

    def thinned(self, points: int = 1000) -> Curve:
        """Keep about as many points as a drawing can resolve, including the first and the last."""
        if self.x.size <= points:
            return self
        steps = np.abs(np.diff(self.x)) + np.abs(np.diff(self.y))
        length = np.concatenate([[0.0], np.cumsum(steps)])
        keep = np.searchsorted(length, np.linspace(0, length[-1], points))
        keep = np.unique(np.concatenate([[0], keep, [self.x.size - 1]]))
        return Curve(self.x[keep], self.y[keep], self.thresholds[keep])

    def at(self, threshold: float) -> Place:
        """Return the point that rejects scores above a threshold."""
        above = int(np.count_nonzero(self.thresholds > threshold))
        index = max(above - 1, 0)
        return float(self.x[index]), float(self.y[index])

    def to_dict(self) -> dict[str, list[float | None]]:
        """Give plain lists, for JSON; an infinite threshold becomes None."""
        limits = [float(value) if math.isfinite(value) else None for value in self.thresholds]
        return {"x": self.x.tolist(), "y": self.y.tolist(), "thresholds": limits}


@dataclass(frozen=True)
class MarkedCurve:
    """A curve and the place of the operating point; None where none is in force."""

    curve: Curve
    place: Place | None = None


@dataclass(frozen=True)
class Sweep:
    """Counts at or above each distinct score, in falling order of scores.

    Parameters
    ----------
    thresholds
        float64 [n], falling.
    false_alarms, hits
        float64 [n], rising: good and defective ones at or above the threshold. Both kinds occur.
    overlap
        float64 [n], rising to 1: mean share of each defect region at or above it (pixels only).
    """

    thresholds: Floats
    false_alarms: Floats
    hits: Floats
    overlap: Floats | None = None

    @classmethod
    def of_scores(cls, scores: Floats, is_defect: NDArray[np.bool_]) -> Sweep:
        """Sweep over some scores, float64 [n], exactly."""
        distinct, place = np.unique(scores, return_inverse=True)
        good, bad = (
            np.bincount(place, weights=kind, minlength=distinct.size)[::-1]
            for kind in (~is_defect, is_defect)
        )
        return cls(distinct[::-1], np.cumsum(good), np.cumsum(bad))

    def auroc(self) -> float:
        """Area under the ROC curve; ties count half."""
        return _area(self.false_alarms / self.false_alarms[-1], self.hits / self.hits[-1])

    def average_precision(self) -> float:
        """Sum of precision times the gain in recall over all thresholds, without interpolation."""
        gained = np.diff(self.hits, prepend=0.0)
        return float(gained @ (self.hits / (self.hits + self.false_alarms)) / self.hits[-1])

    def aupro(self, max_fpr: float) -> Measure:
        """Area under the per-region overlap up to a false-positive rate, divided by that rate.

        Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021, section 4.2.
        """
        if self.overlap is None:
            return Undefined("There are no defect regions.")
        rate = self.false_alarms / self.false_alarms[-1]
        inside = int(np.searchsorted(rate, max_fpr, side="right"))
        x, y = np.concatenate([[0.0], rate]), np.concatenate([[0.0], self.overlap])
        at_limit = np.interp(max_fpr, x[inside : inside + 2], y[inside : inside + 2])
        x, y = np.append(x[: inside + 1], max_fpr), np.append(y[: inside + 1], at_limit)
        return _area(x[1:], y[1:]) / max_fpr

    def best_f1(self) -> tuple[float, float]:
        """Return the largest F1 and a threshold that reaches it by rejecting all higher scores.

        Among equals the lowest threshold is taken, where fewest defects escape.
        """
        f1 = 2 * self.hits / (self.hits + self.false_alarms + self.hits[-1])
        best = f1.size - 1 - int(np.argmax(f1[::-1]))
        below = self.thresholds[best + 1] if best + 1 < f1.size else -math.inf
        return float(f1[best]), between(float(below), float(self.thresholds[best]))

    def roc(self) -> Curve:
        """False-positive rate against true-positive rate."""
        return self._curve(self.false_alarms / self.false_alarms[-1], self.hits / self.hits[-1])

    def pro(self) -> Curve | None:
        """False-positive rate against per-region overlap; None without regions."""
        if self.overlap is None:
            return None
        return self._curve(self.false_alarms / self.false_alarms[-1], self.overlap)

    def precision_recall(self) -> Curve:
        """Recall against precision."""
        precision = self.hits / (self.hits + self.false_alarms)
        return self._curve(self.hits / self.hits[-1], precision, start=float(precision[0]))

    def _curve(self, x: Floats, y: Floats, start: float = 0.0) -> Curve:
        return Curve(
            np.concatenate([[0.0], x]),
            np.concatenate([[start], y]),
            np.concatenate([[math.inf], self.thresholds]),
        )


def between(low: float, high: float) -> float:
    """Return a threshold between `low` and `high` that only `high` exceeds: halfway if there is room."""
    if low == -math.inf:
        return float(np.nextafter(high, -math.inf))
    middle = low + (high - low) / 2
    return middle if low <= middle < high else low


def measures_to_dict(measures: dict[str, Measure]) -> dict[str, Any]:
    """Return plain values, for JSON: an undefined number becomes None beside its reason."""
    plain: dict[str, Any] = {}
    for name, value in measures.items():
        plain[name] = None if isinstance(value, Undefined) else value
        if isinstance(value, Undefined):
            plain[f"{name}_undefined"] = value.reason
    return plain


def _area(x: Floats, y: Floats) -> float:
    """Trapezoids from (0, 0) through the points."""
    before = np.concatenate([[0.0], y[:-1]])
    return float(np.diff(x, prepend=0.0) @ ((y + before) / 2))
