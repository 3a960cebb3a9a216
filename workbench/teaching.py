"""Teaching an inspector what is good after it was built: what it would change, keeping it, and taking it back.

A preview holds the taught model and every earlier verdict that would change; nothing is stored until it is kept. Then
the new version, the labels and the decisions are there together, in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from patchcore.errors import DataError, ImageError, SettingsError
from patchcore.operating_point import Choice, Evidence, OperatingPoint, Verdict
from patchcore.regions import clearing_threshold
from patchcore.rules import BY_HAND
from patchcore.thresholds import decide
from workbench.changing import note_change
from workbench.database import WorkspaceError
from workbench.decisions import keep_decision, take_back_label
from workbench.evidence import Known, tested_images
from workbench.history import find_inspection, note_decision
from workbench.inspectors import NOT_HERE, find_inspector, good_images, has_good_images, load_model
from workbench.map_files import as_stored
from workbench.outcomes import verdict_of
from workbench.people import Role, require
from workbench.recalibrating import Progress, ShareNumbers, recalibrated
from workbench.tables import GOOD, Inspector, InspectorVersion, LabelChange, Result
from workbench.version_files import store_version
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.detector import PatchCore

RECHECK = "earlier verdicts"  # the last stage of a preview
TEACH = "teach"  # `InspectorVersion.change` of a version that teaching made
UNDO = "teaching"
"""Of `InspectorVersion.numbers`: what `undo_teaching` takes back."""


@dataclass(frozen=True)
class VerdictChange:
    """An earlier verdict that teaching would change.

    Attributes
    ----------
    result
        What the version in use found; `.image` has name, hash and label.
    before, after
        The verdict as it is, and as it would be; None where a map is missing that it takes.
    score
        That it would have; `result.score` is the one it has.
    """

    result: Result
    before: Verdict | None
    after: Verdict | None
    score: float

    @property
    def is_escape(self) -> bool:
        """Whether an image that somebody labelled a defect would be accepted."""
        return self.after == "accept" and self.result.image.truth not in (None, GOOD)


@dataclass(frozen=True, eq=False)
class TeachingPreview:
    """What teaching some images would make of an inspector; nothing of it is stored.

    Attributes
    ----------
    version, seen
        Which is in use, and the revision of its inspector when that was looked at.
    taught
        The results of the images to be taught.
    scores
        Score that each of these images would have, by hash.
    model, numbers
        The taught model, and what it is like with the thresholds that it would have.
    changes
        Earlier verdicts on other images that would change, those accepted first.
    kept_by_hand
        Whether thresholds set by hand stay as they are; None where none was set by hand.
    """

    version: InspectorVersion
    seen: int
    taught: Sequence[Result]
    scores: Mapping[str, float]
    model: PatchCore
    numbers: ShareNumbers
    changes: Sequence[VerdictChange]
    kept_by_hand: bool | None

    @property
    def before(self) -> OperatingPoint:
        """The thresholds in force."""
        return OperatingPoint.from_dict(self.version.operating_point)

    @property
    def added(self) -> int:
        """How many patches join the bank."""
        return self.numbers.patches - self.version.patches

    @property
    def escapes(self) -> list[VerdictChange]:
        """Changes by which a labelled defect would be accepted."""
        return [change for change in self.changes if change.is_escape]

    def sentence(self) -> str:
        """Say which earlier verdicts would change."""
        if not self.changes:
            return "No earlier verdict on another image would change."
        parts = [
            _counted(after, sum(change.after == after for change in self.changes))
            for after in ("accept", "review", "reject", None)
        ]
        words = ", ".join(part for part in parts if part)
        return f"{words[0].upper()}{words[1:]}{_of_these(self.changes, self.escapes)}."


def preview_teaching(
    workspace: Workspace,
    version: InspectorVersion,
    results: Sequence[Result],
    progress: Progress | None = None,
    *,
    keep_by_hand: bool = True,
) -> TeachingPreview:
    """Find out what an inspector would be if images were taught as good; nothing is stored.

    Parameters
    ----------
    version
        In use.
    results
        What it found in the images to be taught.
    progress
        Called with (stage, done, total) while the good images, then earlier verdicts, are scored.
    keep_by_hand
        Whether thresholds set by hand stay: a bank that grows raises no score, so they reject no more good parts than
        before. Otherwise the good images set them, as for any other change of the bank.

    Raises
    ------
    NotAllowed
        For who is no engineer.
    SettingsError
        When there is nothing to teach, or an image is one that the bank was built from.
    ImageError, WorkspaceError
        When an image cannot be read.
    """
    require(Role.ENGINEER, "teach inspectors")
    inspector = find_inspector(workspace, version.inspector_id)
    if inspector is None or inspector.current_id != version.id:
        raise WorkspaceError(
            "Another version of this inspector is in use by now. Look at its results and teach that."
        )
    hashes = {result.image.sha256 for result in results}
    before = OperatingPoint.from_dict(version.operating_point)
    by_hand = any(choice.name == BY_HAND for choice in before.choices)
    follow = _Follow(workspace, version, _without(before, hashes), by_hand and keep_by_hand, progress)
    model = _model(workspace, version, before).with_taught(
        _sources(workspace, results), _good_sources(workspace, version), progress, follow=follow
    )
    numbers = follow.numbers(model)
    scores, changes = {}, []
    for known, score, after in _checked_again(workspace, version, model, before, numbers.point, progress):
        change = VerdictChange(_result(known), _judged(known, before), after, score)
        if known.sha256 in hashes:
            scores[known.sha256] = score
        elif change.before != change.after:
            changes.append(change)
    order = ("accept", "review", "reject", None)
    return TeachingPreview(
        version=version,
        seen=inspector.revision,
        taught=list(results),
        scores=scores,
        model=model.with_operating_point(None),
        numbers=numbers,
        changes=sorted(changes, key=lambda change: (order.index(change.after), not change.is_escape)),
        kept_by_hand=keep_by_hand if by_hand else None,
    )


def keep_teaching(
    workspace: Workspace, preview: TeachingPreview, note: str = "", *, seen: int | None = None
) -> InspectorVersion:
    """Store what was previewed as the current version, and with it that the images are good.

    Parameters
    ----------
    note
        Why; the names of the images where left out.
    seen
        As `changing.note_change` takes it; the revision that the preview saw where left out.

    Raises
    ------
    NotAllowed
        For who is no engineer.
    ChangedMeanwhile
        When the inspector was changed since; nothing is stored then.
    """
    require(Role.ENGINEER, "teach inspectors")
    version, names = preview.version, [result.image.name for result in preview.taught]

    def label(session: Session, after: InspectorVersion) -> None:
        kept = [(result, keep_decision(session, result, "fine")) for result in preview.taught]
        labels = [change for _, (change, _) in kept if change is not None]
        decisions = [result.batch_image_id for result, (_, new) in kept if new]
        undo = {"before": version.id, "labels": labels, "decisions": decisions, "images": names}
        after.numbers = {**after.numbers, UNDO: undo}

    measured = {name: value for name, value in version.numbers.items() if name != "removed"}
    return store_version(
        workspace,
        version.inspector_id,
        preview.model,
        preview.numbers,
        settings=version.settings,
        measured=measured | {"job": None},
        note=note or f"Taught {named(names)}",
        why=_why(preview),
        change=TEACH,
        seen=preview.seen if seen is None else seen,
        also=label,
    )


def can_undo(version: InspectorVersion) -> bool:
    """Whether a version was made by teaching, so that `undo_teaching` can take it back."""
    return version.change == TEACH and UNDO in version.numbers


def taught_names(version: InspectorVersion) -> list[str]:
    """Return the names of the images that were taught when a version was made."""
    return list(version.numbers.get(UNDO, {}).get("images", ()))


def undo_teaching(
    workspace: Workspace, version: InspectorVersion, *, seen: int | None = None
) -> InspectorVersion:
    """Put the version from before the teaching into use again, and take back the labels that came with it.

    Its file is as it was, so its scores are too. The taught version stays in the list of versions.

    Raises
    ------
    NotAllowed
        For who is no engineer.
    ChangedMeanwhile, WorkspaceError
        When the inspector was changed since, the version is not the current one, or teaching did not make it.
    """
    require(Role.ENGINEER, "take back what an inspector was taught")
    if not can_undo(version):
        raise WorkspaceError(
            f"Version {version.number} was not made by teaching, so there is nothing to take back."
        )
    undo = version.numbers[UNDO]
    with workspace.database.write() as session:
        inspector = note_change(
            session, version.inspector_id, "undo teaching", seen=seen, version=version.number
        )
        if inspector.current_id != version.id:
            raise WorkspaceError(
                f"Version {version.number} is not in use any more, so it was not taken back."
            )
        before = _before(session, inspector, undo["before"])
        for number in undo["labels"]:
            _take_back_label(session, number)
        for batch_image_id in undo["decisions"]:
            row = find_inspection(session, batch_image_id, before.id)
            if row is not None and row.decision == "fine":
                note_decision(session, row, None)
        inspector.current_id = before.id
    return before


def named(names: Sequence[str]) -> str:
    """Return up to three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


class _Follow:
    """Brings the thresholds of a version to a taught bank, by their own rules or as they were set by hand."""

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

    def __call__(self, model: PatchCore) -> OperatingPoint:
        return self.numbers(model).point

    def numbers(self, model: PatchCore) -> ShareNumbers:
        """Return what the model is like with thresholds that may be used."""
        if model.operating_point_ is not None:
            return ShareNumbers.of(model)
        if self.keep_by_hand:
            return ShareNumbers.of(model, _kept(self.point, model))
        point = recalibrated(self.workspace, self.point, model, self.built_from, self.progress)
        return ShareNumbers.of(model, point)


def _kept(point: OperatingPoint, model: PatchCore) -> OperatingPoint:
    """Return a point with what was set by hand as it was, and what rules set by the same rules on the new scores."""
    pixel_rule = None if point.pixel is None else Choice(BY_HAND, {"value": point.pixel})
    try:
        fresh = decide(
            point.rule,
            Evidence(model.evidence_.good),
            model.bank_id_,
            set_by=point.set_by,
            accept_rule=point.accept_rule,
            pixel_rule=pixel_rule,
            set_at=point.set_at,
        )
    except (SettingsError, DataError) as fault:
        return point.outdated(f"Its rule does not work with the new scores. {fault}")
    return replace(
        fresh,
        note=point.note,
        min_area=point.min_area,
        millimetres_per_pixel=point.millimetres_per_pixel,
        judge_by=point.judge_by,
    )


def _without(point: OperatingPoint, sha256s: set[str]) -> OperatingPoint:
    """Return a point whose evidence lacks images: those that are taught say nothing of how others score."""

    def rest(scores: Mapping[str, float]) -> dict[str, float]:
        return {sha256: score for sha256, score in scores.items() if sha256 not in sha256s}

    known = point.evidence
    return replace(point, evidence=Evidence(rest(known.good), rest(known.defect), rest(known.map_peaks)))


def _model(workspace: Workspace, version: InspectorVersion, point: OperatingPoint) -> PatchCore:
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
    model: PatchCore,
    before: OperatingPoint,
    after: OperatingPoint,
    progress: Progress | None,
) -> Iterator[tuple[Known, float, Verdict | None]]:
    """Give every earlier result whose verdict may change: with its new score and verdict, both exact.

    A larger bank raises no distance, so what the new thresholds accept at the old score they accept at the new one:
    if it was accepted before, it is not scored again.
    """
    monotone = not model.settings.reweight  # Eq. 7 goes by the surroundings too, which taught rows change
    waiting = [
        known
        for known in tested_images(workspace, version)
        if not (monotone and _judged(known, before) == _judged(known, after) == "accept")
    ]
    for done, known in enumerate(waiting, start=1):
        try:
            scored = model.score(workspace.image_path(known.sha256))
        except (ImageError, WorkspaceError):
            continue  # its file was taken away since; it will not be inspected again either
        peak = (
            None if after.judge_by == "score" else clearing_threshold(as_stored(scored.map), after.min_area)
        )
        verdict = after.verdict(scored.score) if peak is None else after.judge_by_peak(scored.score, peak)
        yield known, scored.score, verdict
        if progress:
            progress(RECHECK, done, len(waiting))


def _judged(known: Known, point: OperatingPoint) -> Verdict | None:
    return None if point.stale else verdict_of(known, point)


def _result(known: Known) -> Result:
    assert known.result is not None  # tested images have one
    return known.result


def _before(session: Session, inspector: Inspector, version_id: int) -> InspectorVersion:
    version = session.get(InspectorVersion, version_id)
    if version is None or version.inspector_id != inspector.id or version.deleted is not None:
        raise WorkspaceError(
            "The version from before the teaching is not there any more. Choose another one in the library."
        )
    return version


def _take_back_label(session: Session, number: int) -> None:
    """Put a label back, unless somebody has given another since."""
    change = session.get(LabelChange, number)
    if change is not None and change.undone is None and change.image.truth == change.after:
        take_back_label(change)


def _why(preview: TeachingPreview) -> str:
    if preview.kept_by_hand:
        return "Kept as it was set by hand: images were taught, and a bank that grows raises no score."
    return "Set anew with images that were taught."


def _counted(after: Verdict | None, number: int) -> str:
    noun = "image" if number == 1 else "images"
    words = {
        "accept": "would now be accepted",
        "review": "would now go to review",
        "reject": "would now be rejected",
        None: "would have no verdict",
    }[after]
    return f"{number} {noun} {words}" if number else ""


def _of_these(changes: Sequence[VerdictChange], escapes: Sequence[VerdictChange]) -> str:
    if not escapes:
        return ""
    if len(changes) == 1:
        return "; you labelled it a defect"
    number = "one" if len(escapes) == 1 else str(len(escapes))
    return f"; {number} of them you labelled a defect"
