"""The library: every inspector with what it is, when it was last used, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from workbench.changing import note_change
from workbench.database import WorkspaceError
from workbench.inspectors import list_inspectors
from workbench.people import Role, require
from workbench.tables import Batch, Inspection, Inspector, InspectorVersion
from workbench.workspace import Workspace

LONGEST_NAME = 200  # characters


@dataclass(frozen=True)
class Shelved:
    """One inspector of the library.

    Attributes
    ----------
    inspector, version
        The rows; the version is the one in use.
    versions
        How many there are, not counting those in the bin.
    last_used
        When it inspected last, or images were brought to be inspected; None where it never did.
    """

    inspector: Inspector
    version: InspectorVersion
    versions: int
    last_used: datetime | None


def shelf(workspace: Workspace) -> list[Shelved]:
    """Return the inspectors that are ready, the one used or built last first."""
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


def rename(
    workspace: Workspace, inspector_id: str, name: str, product: str, *, seen: int | None = None
) -> None:
    """Give an inspector another name, and another product.

    Raises
    ------
    WorkspaceError
        The name is empty or too long, or there is no such inspector.
    """
    require(Role.ENGINEER, "rename inspectors")
    name, product = name.strip(), product.strip()
    if not name:
        raise WorkspaceError("The inspector needs a name, such as the part and the line.")
    if max(len(name), len(product)) > LONGEST_NAME:
        raise WorkspaceError(f"A name has at most {LONGEST_NAME} characters.")
    with workspace.database.write() as session:
        before = session.get(Inspector, inspector_id)
        details = {} if before is None else {"name": before.name, "product": before.product}
        inspector = note_change(session, inspector_id, "rename", seen=seen, **details)
        inspector.name, inspector.product = name, product


def _uses() -> tuple[Any, ...]:
    """Return what tells when an inspector was used: verdicts, and images brought to it."""
    return (
        select(Inspection.inspector_id, func.max(Inspection.created)).group_by(Inspection.inspector_id),
        select(Batch.inspector_id, func.max(Batch.created))
        .where(Batch.kind == "test")
        .group_by(Batch.inspector_id),
    )
