"""The library: every inspector with its name, its version in use, and the time of its last use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from workbench.inspectors.versions import list_inspectors
from workbench.storage.tables import Batch, Inspection, Inspector, InspectorVersion
from workbench.storage.workspace import Workspace


@dataclass(frozen=True)
class Shelved:
    """One inspector of the library.

    Attributes
    ----------
    inspector, version
        The rows; the version is the one in use.
    versions
        The number of versions, without those in the bin.
    last_used
        The time of the last inspection or upload of test images; None before the first.
    """

    inspector: Inspector
    version: InspectorVersion
    versions: int
    last_used: datetime | None


def shelf(workspace: Workspace) -> list[Shelved]:
    """Return the inspectors that are ready, the last used or built first."""
    with workspace.database.read() as session:
        versions = select(InspectorVersion.inspector_id, func.count()).where(
            InspectorVersion.deleted.is_(None)
        )
        counts: dict[str, int] = {}
        for inspector_id, count in session.execute(versions.group_by(InspectorVersion.inspector_id)):
            counts[inspector_id] = count
        used: dict[str, datetime] = {}
        for query in _uses():
            for inspector_id, moment in session.execute(query):
                if inspector_id is not None and moment is not None:
                    used[inspector_id] = max(moment, used.get(inspector_id, moment))
    found = [
        Shelved(one, one.current, counts.get(one.id, 0), used.get(one.id))
        for one in list_inspectors(workspace)
        if one.current is not None
    ]
    return sorted(found, key=lambda one: one.last_used or one.version.created, reverse=True)


def _uses() -> tuple[Any, ...]:
    """Return the times at which inspectors were used: verdicts, and uploads of test images."""
    return (
        select(Inspection.inspector_id, func.max(Inspection.created)).group_by(Inspection.inspector_id),
        select(Batch.inspector_id, func.max(Batch.created))
        .where(Batch.kind == "test")
        .group_by(Batch.inspector_id),
    )
