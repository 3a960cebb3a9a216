"""The history: one row for every image that was scored, written as it is scored, with the overlay as it then was.

A row holds all that explains a verdict months later: score, thresholds, regions, person and time. Afterwards only a
person's decision changes it. Good images that are scored without themselves to calibrate a bank are not inspections
and have no row.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from patchcore.inspection import Inspection as ImageInspection
from patchcore.inspection import plain_region
from patchcore.maps.rendering import HeatScale, overlay, scaled_box
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.purpose import purpose_of
from workbench.people.roles import Role, current, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.map_files import KeptMap
from workbench.storage.pictures import shrunk
from workbench.storage.revisions import note_event
from workbench.storage.tables import (
    BatchImage,
    Event,
    Inspection,
    Inspector,
    InspectorVersion,
    PointRecord,
    Result,
)
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:  # torch comes with it
    from patchcore.images.geometry import Box

Source = Literal["page", "watch", "command"]
Decision = Literal["fine", "defect"]
DECIDE = "decide on inspection"  # the event of a decision, and of taking one back
REGIONS_KEPT = 50  # of one image, the worst; their number is stored too
JPEG_QUALITY = 85


@dataclass(frozen=True)
class InForce:
    """The thresholds, inspector and version behind the verdicts of a moment.

    Attributes
    ----------
    point
        The thresholds.
    point_id, point_number
        Id of the `PointRecord`, and its place among the version's records, from 1.
    inspector_id, inspector_name, version_id, version_number
        Inspector and version of the thresholds, with the name of that time.
    in_use
        Whether the inspector judges by this version: Compare has others judge too.
    """

    point: OperatingPoint
    point_id: int | None
    point_number: int | None
    inspector_id: str
    inspector_name: str
    version_id: int
    version_number: int
    in_use: bool = True


@dataclass(frozen=True)
class Seen:
    """An image judged at the thresholds in force, and the path of its overlay."""

    inspection: ImageInspection
    overlay_path: str  # relative to the workspace


def in_force(session: Session, version_id: int) -> InForce:
    """Read the thresholds that a version judges by now."""
    version = session.get_one(InspectorVersion, version_id, populate_existing=True)
    points = select(func.max(PointRecord.id), func.count()).where(PointRecord.version_id == version_id)
    latest, count = session.execute(points).one()
    inspector = session.get_one(Inspector, version.inspector_id)
    return InForce(
        point=OperatingPoint.from_dict(version.operating_point),
        point_id=latest,
        point_number=count or None,
        inspector_id=version.inspector_id,
        inspector_name=inspector.name,
        version_id=version_id,
        version_number=version.number,
        in_use=inspector.current_id == version_id,
    )


def look(
    workspace: Workspace,
    force: InForce,
    inspection: ImageInspection,
    kept: KeptMap,
    pixels: NDArray[np.uint8],
) -> Seen:
    """Store the overlay of an inspection: first the file, then the row of `record`, which names the file.

    Parameters
    ----------
    inspection
        The image, judged at the thresholds of `force`.
    kept
        Its map as it is stored.
    pixels
        The image, uint8 [H, W, 3].
    """
    sha256 = inspection.result.record.sha256
    token = secrets.token_hex(4)
    target = workspace.root / "history" / f"{now():%Y-%m}" / f"{sha256[:16]}-{force.version_id}-{token}.jpg"
    relative = workspace.relative(target)
    store_overlay(workspace, relative, kept, pixels, force.point.heat_from, inspection.decided_box)
    return Seen(inspection, relative)


def store_overlay(
    workspace: Workspace,
    path: str,
    kept: KeptMap,
    pixels: NDArray[np.uint8],
    heat_from: float,
    box: Box | None = None,
) -> None:
    """Paint heat, contour and a box over a picture at the size that maps are kept at, and store it.

    Parameters
    ----------
    box
        In pixels of the image, as `patchcore.inspection.place_that_decided` gives it.
    """
    scores = kept.small()
    shown = None if box is None else scaled_box(box, kept.size, scores.shape)
    painted = overlay(
        shrunk(pixels, scores.shape[1], scores.shape[0]),
        scores,
        HeatScale.anchored(heat_from),
        mode="both",
        box=shown,
    )
    with workspace.new_file(workspace.root / path) as file:
        PIL.Image.fromarray(painted).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)


def record(
    session: Session,
    image: BatchImage,
    result: Result,
    force: InForce,
    seen: Seen | None,
    *,
    source: Source = "page",
) -> Inspection | None:
    """Store the verdict on an image, in the transaction that stores its result.

    Parameters
    ----------
    image, result
        The image and its result; a score of None comes with an error.
    force
        The thresholds in force when its scoring began; see `in_force`.
    seen
        From `look`; None when the image could not be scored.
    source
        How the image came.

    Returns
    -------
    None when this version's verdict on the image is stored already.
    """
    if find_inspection(session, image.id, force.version_id) is not None:
        return None
    point, inspection = force.point, None if seen is None else seen.inspection
    row = Inspection(
        source=source,
        operator=current().name,
        sha256=image.sha256,
        name=image.name,
        inspector_id=force.inspector_id,
        inspector_name=force.inspector_name,
        version_id=force.version_id,
        version_number=force.version_number,
        point_id=force.point_id,
        point_number=force.point_number,
        batch_image_id=image.id,
        score=result.score,
        accept=point.accept,
        reject=point.reject,
        pixel=point.pixel,
        min_area=point.min_area,
        judge_by=point.judge_by,
        verdict=None if inspection is None else inspection.verdict,
        region_count=None if inspection is None else len(inspection.regions),
        regions=None
        if inspection is None
        else [plain_region(one) for one in inspection.regions[:REGIONS_KEPT]],
        worst_box=result.worst_box,
        width=result.width,
        height=result.height,
        error=result.error,
        remarks=result.remarks,
        doubts=result.doubts,
        picture_check=point.picture_check,
        overlay_path=None if seen is None else seen.overlay_path,
        purpose=purpose_of(
            session, image.batch_id, force.inspector_id, in_use=force.in_use or source == "watch"
        ),
    )
    session.add(row)
    return row


def find_inspection(session: Session, batch_image_id: int, version_id: int | None) -> Inspection | None:
    """Return a version's inspection of an image of a batch; None where none is stored."""
    query = select(Inspection).where(
        Inspection.batch_image_id == batch_image_id, Inspection.version_id == version_id
    )
    return session.scalar(query)


def get_inspection(workspace: Workspace, inspection_id: int) -> Inspection:
    """Return one inspection.

    Raises
    ------
    WorkspaceError
        When there is none: it never existed, or it has expired.
    """
    with workspace.database.read() as session:
        return _require(session, inspection_id)


def decide(workspace: Workspace, inspection_id: int, decision: Decision | None, note: str = "") -> Inspection:
    """Store a person's decision about an inspected part: "fine", "defect", or None to take a decision back.

    The verdict stays. Every decision is stored as an event too, so that `undo_decision` can go back.

    Raises
    ------
    NotAllowed
        When the person may not operate.
    WorkspaceError
        When there is no such inspection.
    """
    require(Role.OPERATE, "decide on inspections")
    with workspace.database.write() as session:
        row = _require(session, inspection_id)
        note_decision(session, row, decision, note)
    return row


def note_decision(session: Session, row: Inspection, decision: Decision | None, note: str = "") -> None:
    """Store a decision, in the caller's transaction."""
    at = None if row.decided is None else row.decided.isoformat()
    before = {"decision": row.decision, "by": row.decided_by, "at": at}
    row.decision, row.decided_by, row.decided = decision, current().name, now()
    session.flush()  # a new row has its number only then
    note_event(
        session,
        DECIDE,
        row.inspector_id,
        inspection=row.id,
        name=row.name,
        before=before,
        after=decision,
        note=note,
    )


def undo_decision(workspace: Workspace, inspection_id: int) -> Inspection:
    """Put back the decision before the last one; a second call puts the last one back.

    Raises
    ------
    NotAllowed
        When the person may not operate.
    WorkspaceError
        When there is no such inspection, or nothing was decided about it.
    """
    require(Role.OPERATE, "undo decisions")
    with workspace.database.write() as session:
        row = _require(session, inspection_id)
        last = last_decision(session, row)
        if last is None:
            raise WorkspaceError(f"Nothing was decided about {row.name}, so there is nothing to undo.")
        note_decision(session, row, last.details["before"]["decision"], note="undone")
    return row


def last_decision(session: Session, row: Inspection) -> Event | None:
    """Return the event of the last decision about an inspection; None where nothing was decided."""
    if row.decided is None:
        return None
    decisions = select(Event).where(Event.action == DECIDE, Event.created >= row.decided)
    events = session.scalars(decisions.order_by(Event.id.desc()))
    return next((event for event in events if event.details.get("inspection") == row.id), None)


def _require(session: Session, inspection_id: int) -> Inspection:
    refusal = (
        f"There is no inspection {inspection_id}. If it was older than history is kept, it has been deleted."
    )
    return required(session, Inspection, inspection_id, refusal)
