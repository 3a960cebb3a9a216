"""Labels of the images of a batch: set one by one, undone, counted."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from patchcore.labels.words import LONGEST_LABEL, vocabulary
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import GOOD, Batch, BatchImage, LabelChange
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

ANY = ""  # for `expected`: any label will do; no label is empty


@dataclass(frozen=True)
class LabelCounts:
    """The images of a batch, counted by their labels."""

    good: int
    defects: dict[str, int]  # by type
    unlabelled: int

    @property
    def defect(self) -> int:
        """Images of any defect type."""
        return sum(self.defects.values())

    @property
    def labelled(self) -> int:
        """Images that have a label."""
        return self.good + self.defect


def set_label(
    workspace: Workspace, batch_image_id: int, truth: str | None, *, expected: str | None = ANY
) -> str | None:
    """Label an image and return its label from before; the change is stored with the person who made it.

    Parameters
    ----------
    truth
        "good" or another word for it, a defect type, or None for unknown.
    expected
        The present label as the person was shown it; left out where nobody has looked.

    Raises
    ------
    WorkspaceError
        When the label is empty or too long, or an inspector is built from the image.
    ChangedMeanwhile
        The present label differs from `expected`: somebody has labelled the image since. Nothing is changed.
    """
    person = require(Role.OPERATE, "label images")
    truth = None if truth is None else _checked(truth)
    with workspace.database.write() as session:
        image = _require_image(session, batch_image_id)
        before = image.truth
        if truth != before:
            if expected not in (ANY, before):
                raise ChangedMeanwhile(_who_labelled(session, image))
            image.truth = truth
            session.add(LabelChange(batch_image_id=image.id, before=before, after=truth, made_by=person.name))
    return before


def undo_label(workspace: Workspace, batch_id: int) -> BatchImage | None:
    """Take back the acting person's latest label in a batch, and return its image.

    An image that somebody else has labelled since keeps that label. None when there is nothing to take back.
    """
    person = require(Role.OPERATE, "label images")
    later = aliased(LabelChange)
    overruled = exists().where(
        later.batch_image_id == LabelChange.batch_image_id,
        later.id > LabelChange.id,
        later.undone.is_(None),
        later.made_by != person.name,
    )
    query = (
        select(LabelChange)
        .join(LabelChange.image)
        .where(
            BatchImage.batch_id == batch_id,
            LabelChange.undone.is_(None),
            LabelChange.made_by == person.name,
            ~overruled,
        )
        .order_by(LabelChange.id.desc())
        .limit(1)
    )
    with workspace.database.write() as session:
        change = session.scalar(query)
        if change is None:
            return None
        change.image.truth, change.undone = change.before, now()
        return change.image


def label_counts(workspace: Workspace, batch_id: int) -> LabelCounts:
    """Count the images of a batch by their labels."""
    with workspace.database.read() as session:
        truths = session.scalars(select(BatchImage.truth).where(BatchImage.batch_id == batch_id))
        counts = Counter(truths)
    defects = {kind: number for kind, number in counts.items() if kind is not None and kind != GOOD}
    return LabelCounts(counts[GOOD], dict(sorted(defects.items())), counts[None])


def labelled_sets(workspace: Workspace, inspector_id: str) -> list[Batch]:
    """Return the batches of an inspector with at least one labelled image, newest first."""
    labelled = exists().where(BatchImage.batch_id == Batch.id, BatchImage.truth.is_not(None))
    query = select(Batch).where(Batch.inspector_id == inspector_id, Batch.kind == "test", labelled)
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(Batch.id.desc())))


def _checked(truth: str) -> str:
    """Return a label as it is stored: "gut" and "pass" mean good, "NG" a defect without a type."""
    label = " ".join(truth.split())
    if not label or len(label) > LONGEST_LABEL:
        raise WorkspaceError(
            f"A label has 1 to {LONGEST_LABEL} characters, such as good or scratch; this one has {len(label)}."
        )
    return vocabulary().defect_type(label)


def _who_labelled(session: Session, image: BatchImage) -> str:
    changes = select(LabelChange).where(LabelChange.batch_image_id == image.id)
    change = session.scalar(changes.order_by(LabelChange.id.desc()).limit(1))
    who, what = "Somebody", image.truth or "unknown"
    if change is not None:
        who = f"{change.made_by} ({change.undone or change.created:%Y-%m-%d %H:%M} UTC)"
    return (
        f"{who} labelled {image.name} as {what} since you looked at it, so your label was not kept. Give it again "
        "if you still want to."
    )


def _require_image(session: Session, batch_image_id: int) -> BatchImage:
    image = required(session, BatchImage, batch_image_id, f"There is no image {batch_image_id} in any batch.")
    if session.get_one(Batch, image.batch_id).kind != "test":
        raise WorkspaceError(
            f"{image.name} is one of the good images the inspector is built from. If it shows a defect, remove it "
            "from the bank."
        )
    return image
