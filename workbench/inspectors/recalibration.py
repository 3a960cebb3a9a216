"""Recalibration: a bank of another size or of other images gets thresholds by the same rules, or new ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from patchcore.errors import ImageError, NoImagesError
from patchcore.maps.regions import clearing_threshold
from patchcore.thresholds.decision import decide, recalibrate
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint
from patchcore.thresholds.rules import BY_HAND, is_good_only
from workbench.storage.database import WorkspaceError
from workbench.storage.map_files import as_stored
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.scoring import Result

Progress = Callable[[str, int, int], None]

STAGE = "scoring"
TOO_FEW = (
    "An inspector takes two different good images or more, better thirty: its threshold comes from how each of them "
    "scores against the others. Add good images."
)


@dataclass(frozen=True)
class ShareNumbers:
    """The figures and thresholds of a version with a bank of a certain size."""

    share: float  # of all patches
    patches: int
    megabytes: float
    cover_radius: float
    good_scores: Mapping[str, float]  # image sha256 -> leave-one-image-out score
    point: OperatingPoint  # calibrated on those scores
    pending: str = ""  # the reason why `point` is preliminary

    @classmethod
    def of(cls, model: Detector, point: OperatingPoint | None = None) -> ShareNumbers:
        """Read the numbers of a fitted model, at its present share.

        Parameters
        ----------
        point
            Recalibrated for the model; by default the model's own. A point that cannot follow the bank (a threshold set
            by hand means nothing on another bank) is replaced by a point from the good images alone, which says so: no
            verdict ever rests on an outdated point.

        Raises
        ------
        NoImagesError
            When the good images do not suffice for a threshold.
        """
        found, size = model.left_out(), model.size
        hashes = [model.image_records_[number].sha256 for number in found.images]
        scores = dict(zip(hashes, found.scores.tolist(), strict=True))
        good = {sha256: score for sha256, score in scores.items() if math.isfinite(score)}
        if not good:
            raise NoImagesError(TOO_FEW)
        point = point or model.operating_point_
        if point is None or point.stale:
            point = _replacement(point, good, model.bank_id_)
        return cls(
            share=size.share,
            patches=size.rows,
            megabytes=size.nbytes / 1e6,
            cover_radius=size.cover_radius,
            good_scores=good,
            point=point,
        )

    @classmethod
    def at_once(cls, model: Detector, point: OperatingPoint, built_from: Set[str]) -> ShareNumbers:
        """Read the numbers with the threshold that needs no scoring; errors as for `of`.

        Parameters
        ----------
        model
            At the intended share.
        point, built_from
            As for `recalibrated`.
        """
        if not _images_to_score(point, model, built_from):
            return cls.of(model, recalibrate(point, model.evidence_, model.bank_id_))
        pending = (
            "The threshold rests on images that are scored again when this bank is put into use. Until then, the "
            "threshold from the good images alone is shown."
        )
        return replace(cls.of(model, point.outdated(pending)), pending=pending)

    def columns(self) -> dict[str, Any]:
        """Return the same figures as columns of `InspectorVersion`."""
        return {
            "share": self.share,
            "patches": self.patches,
            "megabytes": self.megabytes,
            "cover_radius": self.cover_radius,
            "good_scores": dict(self.good_scores),
            "operating_point": self.point.to_dict(),
        }


def recalibrated(
    workspace: Workspace,
    point: OperatingPoint,
    model: Detector,
    built_from: Set[str],
    progress: Progress | None = None,
) -> OperatingPoint:
    """Set the point of a version on another bank by its own rules; stale, with the reason, where it cannot follow.

    Evidence other than leave-one-image-out scores is scored with the new bank: defects and held-out good images where a
    rule uses them, and the good images' maps where they set the pixel threshold.

    Parameters
    ----------
    point
        In force until now.
    model
        With the new bank in use.
    built_from
        SHA-256 of the good images of the bank that the point was set on.
    progress
        Called with (stage, done, total).
    """
    try:
        scored = _score(workspace, model, _images_to_score(point, model, built_from), progress)
    except (ImageError, WorkspaceError) as fault:
        return point.outdated(f"An image of its evidence cannot be scored again. {fault}")
    held_out = point.evidence.good.keys() - built_from
    own = model.evidence_ if _rests_on_bank(point, built_from) else Evidence()
    peaks = {
        sha256: clearing_threshold(as_stored(result.map), point.min_area) for sha256, result in scored.items()
    }
    good = {**own.good, **{sha256: scored[sha256].score for sha256 in sorted(held_out & scored.keys())}}
    evidence = Evidence(
        good=good,
        defect={sha256: scored[sha256].score for sha256 in point.evidence.defect if sha256 in scored},
        map_peaks={} if point.pixel_rule is None else {sha256: peaks[sha256] for sha256 in good},
        unseen=own.unseen,
        sessions=own.sessions,
    )
    return recalibrate(point, evidence, model.bank_id_)


def _images_to_score(point: OperatingPoint, model: Detector, built_from: Set[str]) -> dict[str, bool]:
    """Return the images, by SHA-256, that the point's rules need scored again; True: without their own rows."""
    if any(choice.name == BY_HAND for choice in point.choices):
        return {}
    images = dict.fromkeys(sorted(point.evidence.good.keys() - built_from), False)
    if not all(map(is_good_only, point.choices)):
        images |= dict.fromkeys(point.evidence.defect, False)
    if point.pixel_rule is not None and _rests_on_bank(point, built_from):
        images |= dict.fromkeys(model.evidence_.good, True)
    return images


def _rests_on_bank(point: OperatingPoint, built_from: Set[str]) -> bool:
    """Whether the evidence includes good images of the bank, not held-out images alone."""
    return bool(point.evidence.good.keys() & built_from) or not point.evidence.good


def _score(
    workspace: Workspace, model: Detector, images: Mapping[str, bool], progress: Progress | None
) -> dict[str, Result]:
    paths = workspace.image_paths(images)
    scored = {}
    for done, (sha256, leave_out) in enumerate(images.items(), start=1):
        scored[sha256] = model.score(paths[sha256], leave_out=leave_out)
        if progress:
            progress(STAGE, done, len(images))
    return scored


def _replacement(before: OperatingPoint | None, good: Mapping[str, float], bank_id: str) -> OperatingPoint:
    """Set a point from the good images alone, and name the point that it replaces."""
    note = (
        ""
        if before is None
        else f"Stands in for {before.reject:.4g}, which is in the history. {before.stale}"
    )
    return decide(Choice("provisional"), Evidence(good), bank_id, set_by="the program", note=note)
