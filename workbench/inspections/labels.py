"""Labels: what is known of the images of a batch, given one by one, taken back, or brought in with the images."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import ChangedMeanwhile
from workbench.storage.tables import GOOD, Batch, BatchImage, LabelChange
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

ANY = ""  # for `seen`: whatever it is; no label is empty
LONGEST = 64  # characters of a label, as the database has room for


@dataclass(frozen=True)
class LabelCounts:
    """How many images of a batch are known to be what."""

    good: int
    defects: dict[str, int]  # by type
    unlabelled: int

    @property
    def defect(self) -> int:
        """Images of any defect type."""
        return sum(self.defects.values())

    @property
    def labelled(self) -> int:
        """Images of which something is known."""
        return self.good + self.defect


def set_label(
    workspace: Workspace, batch_image_id: int, truth: str | None, *, seen: str | None = ANY
) -> str | None:
    """Say what an image shows, and return what was known of it before; the change is kept with who made it.

    Parameters
    ----------
    truth
        "good", a defect type, or None for unknown.
    seen
        What was known of it as whoever labels it saw it; left out where nobody looked.

    Raises
    ------
    WorkspaceError
        When the label is empty or too long, or the image is one of those that an inspector is built from.
    ChangedMeanwhile
        Somebody has labelled it otherwise since it was seen; nothing is changed then.
    """
    person = require(Role.OPERATE, "label images")
    truth = None if truth is None else _checked(truth)
    with workspace.database.write() as session:
        image = _require_image(session, batch_image_id)
        before = image.truth
        if truth != before:
            if seen not in (ANY, before):
                raise ChangedMeanwhile(_who_labelled(session, image))
            image.truth = truth
            session.add(LabelChange(batch_image_id=image.id, before=before, after=truth, made_by=person.name))
    return before


def undo_label(workspace: Workspace, batch_id: int) -> BatchImage | None:
    """Take back the latest label in a batch that whoever is acting has given, and return its image.

    What somebody else has labelled otherwise since is theirs and stays. None when there is nothing to take back.
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
    """Count the images of a batch by what is known of them."""
    with workspace.database.read() as session:
        truths = session.scalars(select(BatchImage.truth).where(BatchImage.batch_id == batch_id))
        counts = Counter(truths)
    defects = {kind: number for kind, number in counts.items() if kind is not None and kind != GOOD}
    return LabelCounts(counts[GOOD], dict(sorted(defects.items())), counts[None])


def labelled_sets(workspace: Workspace, inspector_id: str) -> list[Batch]:
    """Return the batches of an inspector in which something is known of at least one image, newest first."""
    labelled = exists().where(BatchImage.batch_id == Batch.id, BatchImage.truth.is_not(None))
    query = select(Batch).where(Batch.inspector_id == inspector_id, Batch.kind == "test", labelled)
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(Batch.id.desc())))


def _checked(truth: str) -> str:
    label = " ".join(truth.split())
    if not label or len(label) > LONGEST:
        raise WorkspaceError(
            f"A label has 1 to {LONGEST} characters, such as good or scratch; this one has {len(label)}."
        )
    return label


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
