"""A preview of teaching: the taught model and the earlier verdicts that would change; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patchcore.errors import ImageError, SettingsError
from patchcore.maps.regions import clearing_threshold
from patchcore.methods import TEACH
from patchcore.thresholds.decision import apply_again
from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint, Verdict
from patchcore.thresholds.rules import BY_HAND
from patchcore.thresholds.verdict_counts import error_of
from workbench.inspectors.capabilities import require_capability
from workbench.inspectors.recalibration import Progress, ShareNumbers, recalibrated
from workbench.inspectors.versions import NOT_HERE, find_inspector, good_images, has_good_images, load_model
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.map_files import as_stored
from workbench.storage.tables import GOOD, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known, tested_images, verdict_of

if TYPE_CHECKING:
    from patchcore.detector import Detector

RECHECK = "earlier verdicts"  # the last stage of a preview


@dataclass(frozen=True)
class VerdictChange:
    """An earlier verdict that teaching would change.

    Attributes
    ----------
    result
        The result of the version in use; `.image` has name, hash and label.
    before, after
        The present verdict and the new one; None where a required map is missing.
    score
        The new score; `result.score` is the present one.
    """

    result: Result
    before: Verdict | None
    after: Verdict | None
    score: float

    @property
    def is_escape(self) -> bool:
        """Whether an image that somebody labelled a defect would be accepted."""
        return bool(self.is_defect) and self.after == "accept"

    @property
    def is_defect(self) -> bool | None:
        """What its label says; None without one."""
        return None if self.result.image.truth is None else self.result.image.truth != GOOD

    @property
    def loses_rejection(self) -> bool:
        """Whether an image that nobody knows to be good would be rejected no more."""
        return self.before == "reject" != self.after and self.is_defect is not False

    @property
    def place(self) -> tuple[int, int]:
        """The place among other changes: errors first, then lost rejections, then the rest by the new verdict."""
        grave = (
            self.is_escape,
            self.loses_rejection and bool(self.is_defect),
            self.loses_rejection,
            error_of(self.is_defect, self.after) != "",
            True,
        )
        return grave.index(True), ("accept", "review", "reject", None).index(self.after)


@dataclass(frozen=True, eq=False)
class TeachingPreview:
    """The effect of teaching some images; nothing of it is stored.

    Attributes
    ----------
    version, revision
        The version in use, and the revision of its inspector at the time of the preview.
    taught
        The results of the images to be taught.
    scores
        New score of each of these images, by hash.
    model, numbers
        The taught model, and its figures with the new thresholds.
    changes
        Earlier verdicts on other images that would change: defects that would be accepted first, then lost rejections.
    kept_by_hand
        Whether thresholds set by hand stay as they are; None where none was set by hand.
    """

    version: InspectorVersion
    revision: int
    taught: Sequence[Result]
    scores: Mapping[str, float]
    model: Detector
    numbers: ShareNumbers
    changes: Sequence[VerdictChange]
    kept_by_hand: bool | None

    @property
    def before(self) -> OperatingPoint:
        """The thresholds in force."""
        return OperatingPoint.from_dict(self.version.operating_point)

    @property
    def added(self) -> int:
        """The number of patches that join the bank."""
        return self.numbers.patches - self.version.patches

    @property
    def escapes(self) -> list[VerdictChange]:
        """Changes by which a labelled defect would be accepted."""
        return [change for change in self.changes if change.is_escape]

    @property
    def loses_rejections(self) -> bool:
        """Whether an image that nobody knows to be good would be rejected no more."""
        return any(change.loses_rejection for change in self.changes)

    def sentence(self) -> str:
        """Return in words which earlier verdicts would change, lost rejections first."""
        if not self.changes:
            return "No earlier verdict on another image would change."
        parts = [
            _counted(after, sum(change.after == after for change in self.changes))
            for after in ("accept", "review", "reject", None)
        ]
        words = ", ".join(part for part in parts if part)
        lost = sum(change.loses_rejection for change in self.changes)
        return f"{_lost_words(lost)}{words[0].upper()}{words[1:]}{_of_these(self.changes, self.escapes)}."


def preview_teaching(
    workspace: Workspace,
    version: InspectorVersion,
    results: Sequence[Result],
    progress: Progress | None = None,
    *,
    keep_by_hand: bool = True,
) -> TeachingPreview:
    """Compute the effect of teaching images as good; nothing is stored.

    Parameters
    ----------
    version
        In use.
    results
        Its results on the images to be taught.
    progress
        Called with (stage, done, total) while the good images, then earlier verdicts, are scored.
    keep_by_hand
        Whether thresholds set by hand stay: a bank that grows raises no score, so they reject no more good parts than
        before. Otherwise the good images set them, as for any other change of the bank.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    SettingsError
        When there are no images to teach, the bank already contains an image, or the method cannot be taught.
    ImageError, WorkspaceError
        When an image cannot be read.
    """
    from patchcore.amendment.teaching import with_taught  # late: PyTorch comes with it

    require(Role.ENGINEER, "teach inspectors")
    require_capability(version, TEACH)
    inspector = find_inspector(workspace, version.inspector_id)
    if inspector is None or inspector.current_id != version.id:
        raise WorkspaceError(
            "Another version of this inspector is in use by now. Check its results and teach that version."
        )
    hashes = {result.image.sha256 for result in results}
    before = OperatingPoint.from_dict(version.operating_point)
    by_hand = any(choice.name == BY_HAND for choice in before.choices)
    follow = _Follow(workspace, version, _without(before, hashes), by_hand and keep_by_hand, progress)
    model = with_taught(
        _model(workspace, version, before),
        _sources(workspace, results),
        _good_sources(workspace, version),
        progress,
        follow=follow,
    )
    numbers = follow.numbers(model)
    scores, changes = {}, []
    for known, score, after in _checked_again(workspace, version, model, before, numbers.point, progress):
        change = VerdictChange(_result(known), _judged(known, before), after, score)
        if known.sha256 in hashes:
            scores[known.sha256] = score
        elif change.before != change.after:
            changes.append(change)
    return TeachingPreview(
        version=version,
        revision=inspector.revision,
        taught=list(results),
        scores=scores,
        model=model.with_operating_point(None),
        numbers=numbers,
        changes=sorted(changes, key=lambda change: change.place),
        kept_by_hand=keep_by_hand if by_hand else None,
    )


class _Follow:
    """Sets the thresholds of a version on a taught bank, by their own rules or as they were set by hand."""

    def __init__(
        self,
        workspace: Workspace,
        version: InspectorVersion,
        point: OperatingPoint,
        keep_by_hand: bool,
        progress: Progress | None,
    ) -> None:
        self.workspace, self.point, self.keep_by_hand, self.progress = (
            workspace,
            point,
            keep_by_hand,
            progress,
        )
        self.built_from = {image.sha256 for image in good_images(workspace, version) if not image.taught}

    def __call__(self, model: Detector) -> OperatingPoint:
        return self.numbers(model).point

    def numbers(self, model: Detector) -> ShareNumbers:
        """Return the figures of the model with usable thresholds."""
        if model.operating_point_ is not None:
            return ShareNumbers.of(model)
        if self.keep_by_hand:
            return ShareNumbers.of(model, _kept(self.point, model))
        point = recalibrated(self.workspace, self.point, model, self.built_from, self.progress)
        return ShareNumbers.of(model, point)


def _kept(point: OperatingPoint, model: Detector) -> OperatingPoint:
    """Return a point: hand-set thresholds stay, the others follow their rules on the new scores."""
    pixel_rule = None if point.pixel is None else Choice(BY_HAND, {"value": point.pixel})
    return apply_again(point, model.evidence_, model.bank_id_, pixel_rule)


def _without(point: OperatingPoint, sha256s: set[str]) -> OperatingPoint:
    """Return a point whose evidence lacks the taught images, which say nothing about scores of other images."""

    def rest(scores: Mapping[str, float]) -> dict[str, float]:
        return {sha256: score for sha256, score in scores.items() if sha256 not in sha256s}

    known = point.evidence
    scores = {
        "good": rest(known.good),
        "defect": rest(known.defect),
        "map_peaks": rest(known.map_peaks),
        "unseen": rest(known.unseen),
    }
    sessions = {sha256: known.sessions[sha256] for sha256 in scores["unseen"]}
    return replace(point, evidence=Evidence(**scores, sessions=sessions))


def _model(workspace: Workspace, version: InspectorVersion, point: OperatingPoint) -> Detector:
    model = load_model(workspace, version).with_operating_point(None)
    return model if point.stale else model.with_operating_point(point)


def _sources(workspace: Workspace, results: Sequence[Result]) -> list[tuple[str, Path]]:
    paths = workspace.image_paths(result.image.sha256 for result in results)
    return [(result.image.name, paths[result.image.sha256]) for result in results]


def _good_sources(workspace: Workspace, version: InspectorVersion) -> list[tuple[str, Path]]:
    if not has_good_images(version):
        raise SettingsError(NOT_HERE)
    images = [image for image in good_images(workspace, version) if not image.taught]
    paths = workspace.image_paths(image.sha256 for image in images)
    return [(image.name, paths[image.sha256]) for image in images]


def _checked_again(
    workspace: Workspace,
    version: InspectorVersion,
    model: Detector,
    before: OperatingPoint,
    after: OperatingPoint,
    progress: Progress | None,
) -> Iterator[tuple[Known, float, Verdict | None]]:
    """Yield every earlier result whose verdict may change, with its exact new score and verdict.

    A larger bank raises no distance, so an image accepted by the new thresholds at its old score is also accepted at
    its new one: if it was accepted before, it is not scored again. The check of the whole picture is taken to doubt no
    more pictures once another good image has widened its bounds.
    """
    monotone = not model.settings.reweight  # Eq. 7 goes by the surroundings too, which taught rows change
    waiting = [
        known
        for known in tested_images(workspace, version)
        if not (monotone and _judged(known, before) == _judged(known, after) == "accept")
    ]
    for done, known in enumerate(waiting, start=1):
        found = judged_again(workspace, known, model, after)
        if found is not None:
            yield known, *found
        if progress:
            progress(RECHECK, done, len(waiting))


def judged_again(
    workspace: Workspace, known: Known, model: Detector, point: OperatingPoint
) -> tuple[float, Verdict] | None:
    """Score an image by another model, and judge it by its thresholds; None where its file is missing by now."""
    try:
        scored = model.score(workspace.image_path(known.sha256))
    except (ImageError, WorkspaceError):
        return None  # it will not be inspected again either
    peak = None if point.judge_by == "score" else clearing_threshold(as_stored(scored.map), point.min_area)
    return scored.score, point.judge_by_peak(scored.score, peak, doubtful=bool(scored.doubts))


def _judged(known: Known, point: OperatingPoint) -> Verdict | None:
    return None if point.stale else verdict_of(known, point)


def _result(known: Known) -> Result:
    assert known.result is not None  # test images have a score
    return known.result


def _counted(after: Verdict | None, number: int) -> str:
    noun = "image" if number == 1 else "images"
    words = {
        "accept": "would now be accepted",
        "review": "would now go to review",
        "reject": "would now be rejected",
        None: "would have no verdict",
    }[after]
    return f"{number} {noun} {words}" if number else ""


def _lost_words(lost: int) -> str:
    if not lost:
        return ""
    return f"{lost} {'image that is' if lost == 1 else 'images that are'} rejected now would not be. "


def _of_these(changes: Sequence[VerdictChange], escapes: Sequence[VerdictChange]) -> str:
    if not escapes:
        return ""
    if len(changes) == 1:
        return "; you labelled it a defect"
    number = "one" if len(escapes) == 1 else str(len(escapes))
    return f"; {number} of them you labelled a defect"
