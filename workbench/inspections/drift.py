"""Drift of the accepted scores under the thresholds in force, and the sentences about it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select

from patchcore.statistics import drift as method
from patchcore.statistics.drift import Comparison, ControlChart
from workbench.inspections.history import in_force
from workbench.storage.tables import PRODUCTION, Inspection
from workbench.storage.workspace import Workspace

LOOKED_BACK = 20  # windows
Moments = list[datetime]


@dataclass(frozen=True)
class Drift:
    """The state of the accepted parts under the thresholds in force.

    Attributes
    ----------
    accepted
        Number of parts accepted since these thresholds are in force.
    latest
        The latest whole window against the reference; None before the first window is whole.
    since
        When the first window of the present run of alarms began; None without drift.
    chart, moments
        The moving average of the windows that were compared, and the time of inspection of each of its parts.
    """

    accepted: int
    latest: Comparison | None = None
    since: datetime | None = None
    chart: ControlChart | None = None
    moments: Moments = field(default_factory=list)

    @property
    def state(self) -> Literal["waiting", "steady", "drift"]:
        """The state in a word."""
        if self.latest is None:
            return "waiting"
        return "drift" if self.latest.is_drift else "steady"

    @property
    def sentence(self) -> str:
        """The state in a sentence, with its evidence."""
        if self.latest is None:
            needed = method.REFERENCE + method.WINDOW
            return (
                f"Drift is looked for from {needed} accepted parts of production on; under the thresholds in force "
                f"there are {self.accepted:,} so far."
            )
        return _steady_words(self.latest) if self.since is None else _drift_words(self.latest)


def find_drift(workspace: Workspace, version_id: int) -> Drift:
    """Compare the latest accepted parts of a version with the first ones under its thresholds in force.

    Parts of production alone: a labelled set comes in any order, and again and again.
    """
    with workspace.database.read() as session:
        force = in_force(session, version_id)
        rows = _accepted(version_id, force.point_id)
        accepted = session.scalar(rows.with_only_columns(func.count())) or 0
        windows = method.windows_of(accepted)
        if windows == 0:
            return Drift(accepted)
        rows = rows.order_by(Inspection.created, Inspection.id)
        reference = [row.score for row in session.execute(rows.limit(method.REFERENCE))]
        first = max(0, windows - LOOKED_BACK)
        begin, length = method.REFERENCE + first * method.WINDOW, (windows - first) * method.WINDOW
        later = session.execute(rows.offset(begin).limit(length)).all()
    scores = [row.score for row in later]
    compared = method.compare_windows(reference, scores)
    return Drift(
        accepted,
        latest=compared[-1],
        since=_since(compared, [row.created for row in later]),
        chart=method.control_chart(reference, scores),
        moments=[row.created for row in later],
    )


def _accepted(version_id: int, point_id: int | None) -> Any:
    return select(Inspection.created, Inspection.score).where(
        Inspection.version_id == version_id,
        Inspection.point_id == point_id,
        Inspection.verdict == "accept",
        Inspection.purpose == PRODUCTION,
        Inspection.score.is_not(None),
    )


def _since(compared: list[Comparison], moments: Moments) -> datetime | None:
    """Return when the present run of windows with drift began; None without drift."""
    calm = next((back for back, one in enumerate(reversed(compared)) if not one.is_drift), len(compared))
    return None if calm == 0 else moments[(len(compared) - calm) * method.WINDOW]


def _steady_words(latest: Comparison) -> str:
    return (
        f"Steady: the latest {method.WINDOW} accepted parts score like the first {method.REFERENCE} (median "
        f"{latest.median:.3g}, at first {latest.reference_median:.3g})."
    )


def _drift_words(latest: Comparison) -> str:
    pairs = f"{100 * latest.above:.0f} of 100 pairs"
    return (
        f"Drift: accepted parts score higher than at first. One of the latest {method.WINDOW} scores above one of the "
        f"first {method.REFERENCE} in {pairs}, where 50 is usual (median {latest.median:.3g}, at first "
        f"{latest.reference_median:.3g}); by chance alone that happens {_seldom(latest.p_value)}. Look at lens, light "
        "and position before good parts are rejected."
    )


def _seldom(p_value: float) -> str:
    times = 1 / max(p_value, 1e-6)
    rounded = int(float(f"{times:.2g}"))  # two digits suffice
    return "less than once in a million looks" if times >= 1e6 else f"once in {rounded:,} looks"
