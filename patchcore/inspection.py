"""`inspect`: one image becomes a verdict, with its regions, thresholds and bank.

Command line, watched folders, pages and evaluation all judge by the functions of this file, and `Inspection.to_dict` is
their one JSON form. `docs/inspection_json.md` describes each field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from patchcore.maps.regions import Region, find_regions

if TYPE_CHECKING:  # torch comes with them, and a stored score is judged without it
    import numpy as np
    from numpy.typing import NDArray

    from patchcore.detector import Detector
    from patchcore.fitting.sources import Source
    from patchcore.images.geometry import Box
    from patchcore.images.reading import LoadedImage
    from patchcore.plausibility.doubt import Doubt
    from patchcore.scoring import Result
    from patchcore.thresholds.operating_point import OperatingPoint, Verdict

# Of the JSON form; raised when a field is renamed, dropped or changes its meaning, not for a new field.
VERSION = 1
FIELDS = (
    "version",
    "sha256",
    "width",
    "height",
    "score",
    "verdict",
    "unjudged",
    "accept",
    "reject",
    "pixel",
    "min_area",
    "judge_by",
    "point_set_at",
    "picture_check",
    "doubts",
    "bank_id",
    "regions",
    "worst_box",
    "remarks",
    "error",
)  # of the JSON form, in this order
NO_POINT = "No operating point is in force."
NOT_A_NUMBER = "Its score is not a number; score the image again."


@dataclass(frozen=True, eq=False)
class Inspection:
    """One image judged once.

    Attributes
    ----------
    result
        Score, map and worst patch.
    regions
        Places above `OperatingPoint.heat_from`, worst first, in pixels of the image; none without thresholds.
    verdict
        "accept", "review" or "reject"; None where the image cannot be judged, and `unjudged` says why.
    point
        The thresholds; None for none. Stale ones find regions but give no verdict.
    bank_id
        The bank that the score was measured against; None where unknown.
    """

    result: Result
    regions: list[Region]
    verdict: Verdict | None
    point: OperatingPoint | None
    bank_id: str | None

    @property
    def unjudged(self) -> str | None:
        """Why the verdict is missing, in a sentence; None where the image is judged."""
        return why_unjudged(self.result.score, self.point)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Reasons why the picture may not show such a part at all; they count where `point.picture_check` is set."""
        return self.result.doubts

    @property
    def remarks(self) -> list[str]:
        """Remarks on the image, each a sentence: conversions while reading, and differences from the good images."""
        return list(self.result.remarks)

    @property
    def decided_box(self) -> Box | None:
        """The place that decided, which pictures of this inspection outline; see `place_that_decided`."""
        if self.point is None:
            return None
        return place_that_decided(
            self.result.worst_box, self.result.score, self.verdict, self.point.accept, self.point.judge_by
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: `FIELDS` in their order, plain types, every number finite or None."""
        height, width = self.result.map.shape
        return {
            "version": VERSION,
            "sha256": self.result.record.sha256,
            "width": int(width),
            "height": int(height),
            "score": _finite(self.result.score),
            "verdict": self.verdict,
            "unjudged": self.unjudged,
            **thresholds(self.point),
            "doubts": [doubt.to_dict() for doubt in self.doubts],
            "bank_id": self.bank_id,
            "regions": [plain_region(region) for region in self.regions],
            "worst_box": [int(edge) for edge in self.result.worst_box],
            "remarks": self.remarks,
            "error": None,
        }


def inspect(
    detector: Detector,
    image: Source | LoadedImage,
    point: OperatingPoint | None = None,
    *,
    leave_out: bool = False,
) -> Inspection:
    """Score an image, find its regions, and judge it.

    Parameters
    ----------
    detector
        A fitted detector.
    image, leave_out
        As for `score` of the detector.
    point
        The thresholds; None for the detector's thresholds in force.

    Raises
    ------
    NotFittedError, ImageError, DataError
        As `score` of the detector.
    SettingsError
        `point` was set for another bank.

    Examples
    --------
    >>> import numpy as np
    >>> from patchcore import PatchCore
    >>> good = [np.random.default_rng(i).integers(90, 110, (64, 64, 3), np.uint8) for i in range(4)]
    >>> bad = good[0].copy()
    >>> bad[20:40, 20:40] = 255
    >>> inspect(PatchCore(image_size=64, coreset=0.5).fit(good), bad).verdict
    'reject'
    """
    result = detector.score(image, leave_out=leave_out)
    if point is None:
        point = detector.operating_point_
    elif not point.stale:
        point.check_bank(detector.bank_id_)
    # Thresholds in force name their bank; computing the name again would cost milliseconds an image.
    return judge(result, point, detector.bank_id_ if point is None or point.stale else None)


def judge(result: Result, point: OperatingPoint | None, bank_id: str | None = None) -> Inspection:
    """Judge an image that has been scored.

    Parameters
    ----------
    result
        From `score` of a detector.
    point
        The thresholds; None and stale ones give no verdict.
    bank_id
        The bank that scored it; None for the bank of the thresholds in force.
    """
    if bank_id is None and point is not None and not point.stale:
        bank_id = point.bank_id
    regions = regions_at(result.map, point)
    verdict = verdict_on(result.score, regions, point, doubtful=bool(result.doubts))
    return Inspection(result, regions, verdict, point, bank_id)


def regions_at(anomaly_map: NDArray[np.float32], point: OperatingPoint | None) -> list[Region]:
    """Find the regions of a map, float32 [H, W], above the thresholds, worst first; none without thresholds.

    The same regions judge the image: judging by area needs a pixel threshold, and heat begins at the pixel threshold.
    """
    return [] if point is None else find_regions(anomaly_map, point.heat_from, point.min_area)


def verdict_on(
    score: float, regions: Sequence[Region], point: OperatingPoint | None, *, doubtful: bool = False
) -> Verdict | None:
    """Judge a score and the regions from `regions_at`; regions count only where `point.judge_by` is not "score".

    A doubtful picture is reviewed where it would be accepted, unless `point.picture_check` is off.

    Returns
    -------
    The verdict; None where `why_unjudged` has a reason.
    """
    if point is None or why_unjudged(score, point) is not None:
        return None
    return point.judge(score, regions, doubtful=doubtful)


def why_unjudged(score: float, point: OperatingPoint | None) -> str | None:
    """Return why a score gets no verdict, in a sentence; None where it gets one."""
    if point is None:
        return NO_POINT
    return point.stale or (NOT_A_NUMBER if math.isnan(score) else None)


def place_that_decided(
    worst_box: Sequence[int] | None,
    score: float | None,
    verdict: str | None,
    accept: float | None,
    judge_by: str | None,
) -> Box | None:
    """Return the worst patch's box of an image that is flagged for its score; None for any other image.

    The score comes from one patch, and smoothing lowers the map below it: an image may be flagged without a region, so
    every picture of it outlines this box. Regions that decide by their area, and doubts about the whole picture, show
    their own places. The browser has a copy of this rule (`decidedPlace` in ``workbench/viewer/browser/verdict.js``).

    Parameters
    ----------
    worst_box
        (x0, y0, x1, y1) in pixels of the image; None where unknown.
    score, verdict
        Of the image; None for an image that is not judged.
    accept, judge_by
        Of the operating point that gave the verdict; None for none.
    """
    flagged = verdict in ("review", "reject") and judge_by in ("score", "both")
    if worst_box is None or score is None or accept is None or not (flagged and score > accept):
        return None
    x0, y0, x1, y1 = worst_box
    return x0, y0, x1, y1


def failure(reason: str) -> dict[str, Any]:
    """Return the JSON form of an image that cannot be scored: `error` has the reason, other values are empty."""
    return dict.fromkeys(FIELDS) | {
        "version": VERSION,
        "doubts": [],
        "regions": [],
        "remarks": [],
        "error": reason,
    }


def thresholds(point: OperatingPoint | None) -> dict[str, Any]:
    """Return the fields of the JSON form that state the thresholds; each None without thresholds."""
    if point is None:
        return dict.fromkeys(
            ("accept", "reject", "pixel", "min_area", "judge_by", "point_set_at", "picture_check")
        )
    return {
        "accept": point.accept,
        "reject": point.reject,
        "pixel": point.pixel,
        "min_area": point.min_area,
        "judge_by": point.judge_by,
        "point_set_at": point.recalibrated_at or point.set_at,
        "picture_check": point.picture_check,
    }


def plain_region(region: Region) -> dict[str, Any]:
    """Return a region in the form of the JSON and of the history."""
    return {"box": list(region.box), "area": region.area, "score": _finite(region.score)}


def _finite(number: float) -> float | None:
    """Return a number that JSON can hold; None for infinity and NaN."""
    return float(number) if math.isfinite(number) else None
