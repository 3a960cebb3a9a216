"""The purpose of verdicts: parts of production, or images of an evaluation, which no count of production holds."""

from typing import Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import note_event
from workbench.storage.tables import EVALUATION, PRODUCTION, Batch, BatchImage, Inspection, InspectorVersion
from workbench.storage.workspace import Workspace

Purpose = Literal["production", "evaluation"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def purpose_of(session: Session, batch_id: int, inspector_id: str, *, in_use: bool) -> str:
    """Return the purpose of a verdict on an image of a batch.

    Parameters
    ----------
    inspector_id
        The inspector that judged. Compare lets another inspector judge a batch: that is no production.
    in_use
        Whether the version that judged was in use by its inspector then.
    """
    batch = session.get_one(Batch, batch_id)
    own = in_use and batch.inspector_id == inspector_id
    return PRODUCTION if own and batch.purpose == PRODUCTION else EVALUATION


def set_purpose(workspace: Workspace, batch_id: int, purpose: Purpose) -> None:
    """Have a batch count as production or as evaluation, with the verdicts on its images.

    Verdicts of other inspectors on these images stay evaluation.

    Raises
    ------
    NotAllowed
        When the person may not engineer.
    WorkspaceError
        When there is no such batch of images to inspect.
    """
    require(Role.ENGINEER, "say whether a batch counts as production")
    with workspace.database.write() as session:
        batch = required(session, Batch, batch_id, f"There is no batch {batch_id}.")
        if batch.kind != "test":
            raise WorkspaceError("Good images of an inspector are no inspections; they count as neither.")
        if batch.purpose == purpose:
            return
        batch.purpose = purpose
        images = select(BatchImage.id).where(BatchImage.batch_id == batch_id)
        own = select(InspectorVersion.id).where(InspectorVersion.inspector_id == batch.inspector_id)
        rows = update(Inspection).where(Inspection.batch_image_id.in_(images), Inspection.version_id.in_(own))
        session.execute(rows.values(purpose=purpose), execution_options={"synchronize_session": False})
        note_event(session, "set purpose", batch.inspector_id, batch=batch_id, purpose=purpose)
