"""The check of a workspace: whether its files and rows agree, and the repair of differences."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace
from workbench.upkeep.finding import CannotRepair, Finding
from workbench.upkeep.kept_files import kept_files
from workbench.upkeep.lost_files import find_dangling, find_losses
from workbench.upkeep.orphan_files import Orphans
from workbench.upkeep.quarantine import Bin

GRACE_SECONDS = 600.0
FEW = 20  # files without rows that a crash can leave before the first row is written


@dataclass(frozen=True)
class Repaired:
    """A finding and the outcome of its repair."""

    finding: Finding
    done: bool
    outcome: str


def check(workspace: Workspace, *, grace: float = GRACE_SECONDS) -> list[Finding]:
    """Return all faults; nothing is changed. Every file is read, so a large workspace takes a while.

    The dashboard may run meanwhile: files younger than `grace` seconds, and files of running jobs, are left alone.

    Raises
    ------
    WorkspaceError
        When the database is damaged, or belongs to another folder.
    """
    orphans = Orphans(workspace, grace)
    listed = orphans.list_files()  # before the rows: files stored meanwhile do not count
    try:
        with workspace.database.snapshot() as connection:
            if workspace.database.is_sqlite:
                _require_integrity(workspace, connection)
            kept = list(kept_files(workspace, connection))
            _require_its_own_database(workspace, len(kept), listed)
            found = [*find_dangling(workspace, connection), *orphans.find(kept, connection, listed)]
    except DatabaseError as error:
        raise WorkspaceError(_damaged(workspace, str(error.orig))) from error
    return found + list(find_losses(workspace, kept))


def repair(workspace: Workspace, findings: list[Finding]) -> Iterator[Repaired]:
    """Repair the findings one after the other; a user's own files go to the bin and are never deleted."""
    require(Role.ENGINEER, "repair the workspace")
    to = Bin(workspace)
    for finding in findings:
        if finding.repair is None:
            yield Repaired(finding, False, finding.remedy)
            continue
        try:
            finding.repair(to)
        except (CannotRepair, WorkspaceError, OSError) as error:
            yield Repaired(finding, False, str(error))
        else:
            yield Repaired(finding, True, finding.remedy)


def _require_integrity(workspace: Workspace, connection: Connection) -> None:
    """Let SQLite check its own file before anything is concluded from its rows."""
    found = connection.scalars(text("PRAGMA quick_check(3)")).all()
    if found != ["ok"]:
        raise WorkspaceError(_damaged(workspace, "; ".join(found)))


def _require_its_own_database(workspace: Workspace, named: int, listed: list[Path]) -> None:
    """Refuse to call a whole workspace orphaned because another database was named for it."""
    if named == 0 and len(listed) > FEW:
        raise WorkspaceError(
            f"The database {workspace.database.url.render_as_string()} names none of the {len(listed)} files in "
            f"{workspace.root}. It probably belongs to another workspace: check PATCHCORE_WORKSPACE and "
            "PATCHCORE_DATABASE_URL."
        )


def _damaged(workspace: Workspace, details: str) -> str:
    return (
        f"The database {workspace.database.url.render_as_string()} is damaged ({details}). Nothing was changed. "
        "Restore a backup into a new folder: python -m workbench restore FILE --into FOLDER"
    )
