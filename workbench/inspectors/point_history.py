"""The operating points of an inspector: a complete history, whose latest point is in force."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.people.roles import Role, current, require
from workbench.storage.database import required
from workbench.storage.revisions import note_change
from workbench.storage.tables import Inspector, InspectorVersion, PointRecord
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace


@dataclass(frozen=True)
class StoredPoint:
    """An operating point that is or was in force.

    Attributes
    ----------
    id
        For `restore_point`.
    point
        The point at that time.
    version_id, number
        The version that it was in force for.
    note
        The reason for putting it in force.
    made_by
        The person who put it in force; `point.set_by` decided on its values.
    created
        The time at which it was put in force.
    usable
        Whether it was set on the bank in use now, so that it can be put in force as it is.
    """

    id: int
    point: OperatingPoint
    version_id: int
    number: int
    note: str
    made_by: str
    created: datetime
    usable: bool


def require_version(session: Session, version_id: int) -> InspectorVersion:
    """Return a version; a missing one raises `WorkspaceError`."""
    return required(
        session, InspectorVersion, version_id, f"There is no version {version_id} of any inspector."
    )


def put_in_force(
    session: Session, version: InspectorVersion, point: OperatingPoint, note: str, change: str = "threshold"
) -> PointRecord:
    """Give a version a point, as the latest of its history; `change` is as for `PointRecord`."""
    version.operating_point = point.to_dict()
    record = PointRecord(
        version=version, data=version.operating_point, note=note, change=change, made_by=current().name
    )
    session.add(record)
    return record


def store_point(
    workspace: Workspace,
    version: InspectorVersion,
    point: OperatingPoint,
    note: str,
    *,
    seen: int | None = None,
) -> InspectorVersion:
    """Put a point in force, set by the person acting, and keep the earlier ones.

    Nothing is scored again: verdicts are made when read.

    Raises
    ------
    SettingsError
        The point is stale, or was set on another bank than the version's present one.
    ChangedMeanwhile
        The inspector has a newer revision than `seen`; see `revisions.note_change`.
    """
    moment, person = now().isoformat(timespec="seconds"), current()
    decided = replace(point, note=note, set_by=person.name, set_at=moment)
    return enforce(workspace, version, decided, note, seen=seen)


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
    workspace: Workspace,
    version: InspectorVersion,
    point: OperatingPoint,
    note: str,
    *,
    action: str = "set threshold",
    seen: int | None = None,
) -> InspectorVersion:
    """Put a point in force as it is; errors as for `store_point`."""
    require(Role.ENGINEER, "change thresholds")
    with workspace.database.write() as session:
        row = require_version(session, version.id)
        note_change(session, row.inspector_id, action, seen=seen, version=row.number, reject=point.reject)
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
        made_by=record.made_by,
        created=record.created,
        usable=not point.stale and point.bank_id == bank,
    )
