"""The timeline of an inspector: its versions and operating points, numbered, with their makers, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.point_history import put_in_force
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.revisions import note_change
from workbench.storage.tables import Inspector, InspectorVersion, PointRecord
from workbench.storage.workspace import Workspace

WORDS = {
    "build": "built",
    "share": "bank size changed",
    "remove": "good images removed",
    "teach": "taught",
    "import": "imported",
    "threshold": "threshold set",
    "restore": "restored",
}
LONGEST_NOTE = 2000  # characters


@dataclass(frozen=True)
class Entry:
    """One state of an inspector: a version of its bank with one of its operating points.

    Attributes
    ----------
    number
        "3.2": version 3 with its second operating point.
    version, record
        The rows; `version.operating_point` is the version's latest, `point` this entry's.
    what
        The action that made it: a key of `WORDS`.
    in_use
        Whether the inspector works with it now.
    """

    number: str
    version: InspectorVersion
    record: PointRecord
    what: str
    in_use: bool

    @property
    def point(self) -> OperatingPoint:
        """The thresholds of this entry."""
        return OperatingPoint.from_dict(self.record.data)

    @property
    def starts_version(self) -> bool:
        """Whether the point came with its version, so that the version's note holds for it."""
        return self.number.endswith(".1")

    @property
    def note(self) -> str:
        """The note: the version's where the point came with it, else the threshold's."""
        return (self.starts_version and self.version.note) or self.record.note

    @property
    def made_by(self) -> str:
        """Who made it."""
        return self.version.made_by if self.starts_version else self.record.made_by

    @property
    def created(self) -> datetime:
        """When."""
        return self.version.created if self.starts_version else self.record.created

    @property
    def fits(self) -> bool:
        """Whether its thresholds fit the version's present bank and may be used."""
        point, bank = self.record.data, self.version.operating_point["bank_id"]
        return not point["stale"] and point["bank_id"] == bank

    def as_version(self) -> InspectorVersion:
        """Return the version with this entry's thresholds in force, for reading; not a row of the database."""
        names = [column.key for column in InspectorVersion.__table__.columns]
        values = {name: getattr(self.version, name) for name in names}
        return InspectorVersion(**{**values, "operating_point": self.record.data})


def timeline(workspace: Workspace, inspector_id: str) -> list[Entry]:
    """Return all states of an inspector, the latest first, without versions in the bin."""
    with workspace.database.read() as session:
        inspector = session.get(Inspector, inspector_id)
        records = list(session.scalars(_records(inspector_id)))
    if inspector is None:
        return []
    return [entry for entry in _numbered(inspector, records) if entry.version.deleted is None]


def find_entry(entries: Sequence[Entry], number: str | None) -> Entry | None:
    """Return the entry of a number, "3.2" or "3" for the latest of version 3; without a number, the one in use."""
    for entry in entries:
        if number is not None and number in (entry.number, str(entry.version.number)):
            return entry
    return next((entry for entry in entries if entry.in_use), None)


def require_state(workspace: Workspace, inspector_id: str, number: str | None) -> tuple[Inspector, Entry]:
    """Return an inspector with one of its states: by number, or the one in use.

    Raises
    ------
    WorkspaceError
        The inspector or the state does not exist.
    """
    with workspace.database.read() as session:
        inspector = required(session, Inspector, inspector_id, f"There is no inspector {inspector_id}.")
    entry = find_entry(timeline(workspace, inspector_id), number)
    if entry is None or (number is not None and number not in (entry.number, str(entry.version.number))):
        raise WorkspaceError(f"There is no version {number} of {inspector.name}.")
    return inspector, entry


def restore(
    workspace: Workspace, inspector_id: str, number: str, note: str = "", *, seen: int | None = None
) -> InspectorVersion:
    """Put an earlier state into use: its version and its thresholds. Newer states stay.

    This makes a new entry of the timeline, with the next number of its version.

    Raises
    ------
    WorkspaceError
        The state does not exist, or is in use.
    SettingsError
        Its thresholds are out of date, or belong to another size of the bank than its version's present one.
    ChangedMeanwhile
        The inspector was changed since it was `seen`.
    """
    require(Role.ENGINEER, "restore versions")
    with workspace.database.write() as session:
        entry = _require_entry(session, inspector_id, number)
        if entry.version.deleted is not None:
            raise WorkspaceError(f"Version {entry.version.number} is in the bin. Restore it first.")
        if entry.in_use:
            raise WorkspaceError(f"{number} is in use already.")
        point = entry.point
        point.check_bank(entry.version.operating_point["bank_id"])
        inspector = note_change(session, inspector_id, "restore", seen=seen, number=number, note=note)
        why = f"Restored {number}. {note.strip()}".strip()
        put_in_force(session, entry.version, point, why, "restore")
        inspector.current_id = entry.version.id
    return entry.version


def edit_note(
    workspace: Workspace, inspector_id: str, number: str, note: str, *, seen: int | None = None
) -> None:
    """Write another note to a state.

    Raises
    ------
    WorkspaceError
        The state does not exist, or the note is too long.
    """
    require(Role.ENGINEER, "edit notes")
    if len(note) > LONGEST_NOTE:
        raise WorkspaceError(f"The note has {len(note):,} characters; {LONGEST_NOTE:,} are the most.")
    with workspace.database.write() as session:
        entry = _require_entry(session, inspector_id, number)
        note_change(session, inspector_id, "edit note", seen=seen, number=number, before=entry.note)
        if entry.starts_version:
            entry.version.note = note.strip()
        else:
            entry.record.note = note.strip()


def _records(inspector_id: str) -> Select[PointRecord]:
    return (
        select(PointRecord)
        .join(PointRecord.version)
        .where(InspectorVersion.inspector_id == inspector_id)
        .order_by(PointRecord.id)
    )


def _numbered(inspector: Inspector, records: Sequence[PointRecord]) -> list[Entry]:
    """Return all states, the latest first."""
    counts: dict[int, int] = {}
    latest = {record.version_id: record.id for record in records}
    entries = []
    for record in records:
        version = record.version
        place = counts[version.id] = counts.get(version.id, 0) + 1
        what = version.change if place == 1 else record.change
        in_use = version.id == inspector.current_id and record.id == latest[version.id]
        entries.append(Entry(f"{version.number}.{place}", version, record, what, in_use))
    return entries[::-1]


def _require_entry(session: Session, inspector_id: str, number: str) -> Entry:
    inspector = session.get(Inspector, inspector_id)
    if inspector is not None:
        for entry in _numbered(inspector, list(session.scalars(_records(inspector_id)))):
            if entry.number == number:
                return entry
    raise WorkspaceError(f"There is no version {number} of {inspector_id}.")
