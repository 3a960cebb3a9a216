"""Teaching: good images join the bank after the build; a preview is stored, and can be taken back.

A preview holds the taught model and every earlier verdict that would change; nothing is stored until it is kept. Then
the new version, the labels and the decisions are there together, in one transaction, or not at all.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from workbench.inspections.decisions import keep_decision, take_back_label
from workbench.inspections.history import find_inspection, note_decision
from workbench.inspectors.version_files import store_version
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import note_change
from workbench.storage.tables import Inspector, InspectorVersion, LabelChange
from workbench.storage.workspace import Workspace
from workbench.tuning.teaching_preview import TeachingPreview

TEACH = "teach"  # `InspectorVersion.change` of a version made by teaching
UNDO = "teaching"
"""Of `InspectorVersion.numbers`: the labels and decisions that `undo_teaching` takes back."""


def keep_teaching(
    workspace: Workspace, preview: TeachingPreview, *, seen: int | None = None
) -> InspectorVersion:
    """Store a preview as the current version, together with the label "good" of its images.

    Parameters
    ----------
    seen
        As for `revisions.note_change`; by default the revision of the preview.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
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
        note=f"Taught {named(names)}",
        why=_why(preview),
        change=TEACH,
        seen=preview.revision if seen is None else seen,
        also=label,
    )


def can_undo(version: InspectorVersion) -> bool:
    """Whether teaching made a version, so that `undo_teaching` can take it back."""
    return version.change == TEACH and UNDO in version.numbers


def taught_names(version: InspectorVersion) -> list[str]:
    """Return the names of the taught images of a version for which `can_undo` holds."""
    return list(version.numbers[UNDO]["images"])


def version_before(workspace: Workspace, version: InspectorVersion) -> InspectorVersion:
    """Return the version that `undo_teaching` would put into use; `WorkspaceError` where it is gone."""
    with workspace.database.read() as session:
        inspector = required(session, Inspector, version.inspector_id, "The inspector is not there any more.")
        return _before(session, inspector, version.numbers[UNDO]["before"])


def undo_teaching(
    workspace: Workspace, version: InspectorVersion, *, seen: int | None = None
) -> InspectorVersion:
    """Put the version before the teaching into use again, and take back the labels of the teaching.

    Its file is unchanged, so its scores are too. The taught version stays in the list of versions.

    Raises
    ------
    NotAllowed
        When the person acting is not an engineer.
    ChangedMeanwhile, WorkspaceError
        When the inspector was changed since, the version is not the current one, or teaching did not make it.
    """
    require(Role.ENGINEER, "undo a teaching")
    if not can_undo(version):
        raise WorkspaceError(
            f"Version {version.number} was not made by teaching, so there is nothing to undo."
        )
    undo = version.numbers[UNDO]
    with workspace.database.write() as session:
        inspector = note_change(
            session, version.inspector_id, "undo teaching", seen=seen, version=version.number
        )
        if inspector.current_id != version.id:
            raise WorkspaceError(f"Version {version.number} is not in use any more, so it was not undone.")
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
    """Return up to three names, and the number of further ones."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _before(session: Session, inspector: Inspector, version_id: int) -> InspectorVersion:
    version = session.get(InspectorVersion, version_id)
    if version is None or version.inspector_id != inspector.id or version.deleted is not None:
        raise WorkspaceError(
            "The version from before the teaching is not there any more. Choose another one in the library."
        )
    return version


def _take_back_label(session: Session, number: int) -> None:
    """Put a label back, unless somebody has changed it since."""
    change = session.get(LabelChange, number)
    if change is not None and change.undone is None and change.image.truth == change.after:
        take_back_label(change)


def _why(preview: TeachingPreview) -> str:
    if preview.kept_by_hand:
        return "Kept as it was set by hand: images were taught, and a bank that grows raises no score."
    return "Set again with the taught images."
