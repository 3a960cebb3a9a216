"""A person's decision on an inspected part, fine or defect: label and decision together, with undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.inspections import history
from workbench.inspections.history import Decision
from workbench.people.roles import Role, current, require
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import GOOD, BatchImage, Inspection, LabelChange, Result
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

DEFECT = "defect"  # the label of a defect whose type nobody named


@dataclass(frozen=True)
class Decided:
    """A decision about a result: "fine" or "defect", the person, and the time."""

    decision: str
    by: str
    at: datetime


def call_fine(workspace: Workspace, result: Result, note: str = "") -> None:
    """Store the decision that an inspected part is good, with its label and a note on the reason.

    Raises
    ------
    NotAllowed
        When the person may not operate.
    """
    _call(workspace, result, "fine", note)


def call_defect(workspace: Workspace, result: Result, note: str = "") -> None:
    """Store the decision that a part is a defect; a known defect type stays. Errors as for `call_fine`."""
    _call(workspace, result, "defect", note)


def take_back(workspace: Workspace, result: Result) -> None:
    """Take back the decision on a result, and its label unless the image was labelled again since.

    Raises
    ------
    NotAllowed
        When the person may not operate.
    WorkspaceError
        When nothing is decided about it.
    """
    require(Role.OPERATE, "undo decisions")
    with workspace.database.write() as session:
        row = history.find_inspection(session, result.batch_image_id, result.version_id)
        if row is None or row.decision is None or row.decided is None:
            raise WorkspaceError(
                f"Nothing is decided about {result.image.name}, so there is nothing to undo."
            )
        change = session.scalar(
            select(LabelChange)
            .where(LabelChange.batch_image_id == result.batch_image_id, LabelChange.undone.is_(None))
            .order_by(LabelChange.id.desc())
            .limit(1)
        )
        if (
            change is not None
            and change.created >= row.decided
            and _decision_of(change.after) == row.decision
        ):
            take_back_label(change)
        history.note_decision(session, row, None)


def decided(workspace: Workspace, version_id: int, results: Sequence[Result]) -> dict[int, Decided]:
    """Return the decisions about results of a version, by their `batch_image_id`."""
    images = [result.batch_image_id for result in results]
    query = select(Inspection).where(
        Inspection.version_id == version_id,
        Inspection.batch_image_id.in_(images),
        Inspection.decision.is_not(None),
    )
    with workspace.database.read() as session:
        rows = list(session.scalars(query)) if images else []
    return {
        row.batch_image_id: Decided(row.decision, row.decided_by, row.decided)
        for row in rows
        if row.batch_image_id is not None and row.decision is not None and row.decided is not None
    }


def keep_decision(
    session: Session, result: Result, decision: Decision, note: str = ""
) -> tuple[int | None, bool]:
    """Store a decision with its label, in a transaction.

    Returns
    -------
    tuple
        The id of the `LabelChange`, None where the label agreed already; and whether the decision is new.
    """
    row = history.find_inspection(session, result.batch_image_id, result.version_id) or _recorded(
        session, result
    )
    new = row.decision != decision
    if new:
        history.note_decision(session, row, decision, note)
    image = session.get_one(BatchImage, result.batch_image_id)
    if _decision_of(image.truth) == decision:
        return None, new
    after = GOOD if decision == "fine" else DEFECT
    change = LabelChange(batch_image_id=image.id, before=image.truth, after=after, made_by=current().name)
    image.truth = after
    session.add(change)
    session.flush()
    return change.id, new


def take_back_label(change: LabelChange) -> None:
    """Put back the label from before a change, in a transaction."""
    change.image.truth, change.undone = change.before, now()


def _call(workspace: Workspace, result: Result, decision: Decision, note: str) -> None:
    require(Role.OPERATE, "decide on inspected parts")
    with workspace.database.write() as session:
        keep_decision(session, result, decision, note)


def _decision_of(truth: str | None) -> Decision | None:
    """Return the decision that a label amounts to."""
    if truth is None:
        return None
    return "fine" if truth == GOOD else "defect"


def _recorded(session: Session, result: Result) -> Inspection:
    """Make the row of a result whose row has expired: labelled results outlive the history (`upkeep.expiry`).

    The thresholds and the verdict of that time are not known any more, so they stay empty.
    """
    force = history.in_force(session, result.version_id)
    row = history.record(session, result.image, result, force, None)
    assert row is not None  # there is none, the caller has looked
    row.created, row.operator = result.created, ""
    row.point_id = row.point_number = row.accept = row.reject = row.pixel = row.min_area = None
    row.judge_by = row.verdict = row.picture_check = None
    return row
