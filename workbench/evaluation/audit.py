"""The audit of the good images: their order by unlikeness, and the worst patch of each."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from patchcore.thresholds.decision import apply_again
from patchcore.thresholds.operating_point import Evidence, OperatingPoint
from patchcore.thresholds.rules import is_good_only
from workbench.inspections.batches import Box
from workbench.storage.tables import InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import known_images

NORMAL_MAD = 1.4826  # the standard deviation of a normal distribution, in median absolute deviations


@dataclass(frozen=True)
class AuditedImage:
    """One good image beside the others.

    Attributes
    ----------
    sha256, name
        SHA-256 and name of its file.
    score
        Leave-one-image-out: the distance of its worst patch to the nearest patch of the other good images.
    times_median
        The score as a multiple of the median of all good images: "1.8 times the usual".
    deviations
        How many robust standard deviations (from the median absolute deviation) it lies above the median; None
        where most scores are equal.
    worst_box
        x0, y0, x1, y1 of its worst patch, in pixels of the original; None until its map has been made.
    result
        The stored result, with map and tile; None until its map has been made.
    """

    sha256: str
    name: str
    score: float
    times_median: float
    deviations: float | None
    worst_box: Box | None
    result: Result | None

    @property
    def result_id(self) -> int | None:
        """The id of the stored result."""
        return None if self.result is None else self.result.id


def audit(workspace: Workspace, version: InspectorVersion) -> list[AuditedImage]:
    """Rank the good images of a version by their leave-one-image-out scores, the oddest first.

    k-centre picks outliers early, so one bad photograph among the good is surely in the bank; this finds it. Maps
    and boxes come with `batches.good_batch`, once scored.
    """
    known = sorted(known_images(workspace, version, None), key=lambda one: (-one.score, one.name))
    if not known:
        return []
    scores = np.array([one.score for one in known])
    middle = float(np.median(scores))
    spread = NORMAL_MAD * float(np.median(np.abs(scores - middle)))
    return [
        AuditedImage(
            one.sha256,
            one.name,
            one.score,
            times_median=one.score / middle if middle > 0 else 1.0,
            deviations=(one.score - middle) / spread if spread > 0 else None,
            worst_box=_box(one.result),
            result=one.result,
        )
        for one in known
    ]


def threshold_without(version: InspectorVersion, sha256s: Collection[str]) -> float | None:
    """Return about the reject threshold that a version's own rule would set without some of its good images.

    The scores of the other images are taken as they are. Without these images' patches they can only rise, so the
    threshold of `versions.without_good`, which scores them again, is this one or a little higher. None where the rule
    uses more than good images, or the others are too few for it.
    """
    point = OperatingPoint.from_dict(version.operating_point)
    if point.stale or not is_good_only(point.rule):
        return None
    rest = {sha256: score for sha256, score in version.good_scores.items() if sha256 not in sha256s}
    changed = apply_again(replace(point, accept_rule=None), Evidence(rest), point.bank_id, None)
    return None if changed.stale else changed.reject


def _box(result: Result | None) -> Box | None:
    if result is None or result.worst_box is None:
        return None
    x0, y0, x1, y1 = result.worst_box
    return x0, y0, x1, y1
