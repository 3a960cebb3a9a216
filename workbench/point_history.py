"""The operating points of an inspector: the one in force is the latest of a history in which none is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patchcore.operating_point import OperatingPoint
from workbench.database import WorkspaceError
from workbench.moments import now
from workbench.tables import Inspector, InspectorVersion, PointRecord
from workbench.workspace import Workspace


@dataclass(frozen=True)
class StoredPoint:
    """An operating point that was, or is, in force.

    Attributes
    ----------
    id
        For `restore_point`.
    point
        As it was then.
    version_id, number
        The version it was in force for.
    note
        Why it was put in force.
    created
        When it was.
    usable
        Whether it was set on the bank in use now, so that it can be put in force as it is.
    """

    id: int
    point: OperatingPoint
    version_id: int
    number: int
    note: str
    created: datetime
    usable: bool


def put_in_force(
    session: Session, version: InspectorVersion, point: OperatingPoint, note: str, change: str = "threshold"
) -> PointRecord:
    """Make a point that of a version, and the latest of its history; `change` is as for `PointRecord`."""
    version.operating_point = point.to_dict()
    record = PointRecord(version=version, data=version.operating_point, note=note, change=change)
    session.add(record)
    return record


def store_point(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint, note: str, set_by: str
) -> InspectorVersion:
    """Put a point in force and keep the earlier ones. Nothing is scored again: verdicts are made when read.

    Raises
    ------
    SettingsError
        The point is stale, or was set on another bank than the version has by now.
    """
    moment = now().isoformat(timespec="seconds")
    return enforce(workspace, version, replace(point, note=note, set_by=set_by, set_at=moment), note)


def point_history(workspace: Workspace, inspector_id: str) -> list[StoredPoint]:
    """Return the points of all versions of an inspector, the latest first."""
    query = (
        select(PointRecord)
        .join(PointRecord.version)
        .where(InspectorVersion.inspector_id == inspector_id, InspectorVersion.deleted.is_(None))
        .order_by(PointRecord.id.desc())
    )
    with workspace.database.read() as session:
        records = list(session.scalars(query))
        inspector = session.get(Inspector, inspector_id)
    current = None if inspector is None else inspector.current
    bank = None if current is None else current.operating_point["bank_id"]
    return [_stored(record, bank) for record in records]


def enforce(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint, note: str
) -> InspectorVersion:
    """Put a point in force as it is; errors as for `store_point`."""
    with workspace.database.write() as session:
        row = session.get(InspectorVersion, version.id)
        if row is None:
            raise WorkspaceError(f"There is no version {version.id} of any inspector.")
        point.check_bank(row.operating_point["bank_id"])
        put_in_force(session, row, point, note)
    return row


def _stored(record: PointRecord, bank: str | None) -> StoredPoint:
    point = OperatingPoint.from_dict(record.data)
    return StoredPoint(
        id=record.id,
        point=point,
        version_id=record.version_id,
        number=record.version.number,
        note=record.note,
        created=record.created,
        usable=not point.stale and point.bank_id == bank,
    )
