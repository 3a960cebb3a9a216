"""What thresholds do to the images that are known."""

from __future__ import annotations

from patchcore.operating_point import OperatingPoint, Verdict
from workbench.evidence import Known


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
