"""Good images that somebody has looked at in the audit and kept, so that they are not suggested again."""

from collections.abc import Iterable

from workbench.people.roles import Role, require
from workbench.storage.revisions import note_event
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace

FIELD = "kept"  # of `InspectorVersion.numbers`, which later versions take over


def kept_images(version: InspectorVersion) -> set[str]:
    """Return the SHA-256 of the good images that were kept."""
    return set(version.numbers.get(FIELD, []))


def keep(workspace: Workspace, version: InspectorVersion, sha256s: Iterable[str]) -> InspectorVersion:
    """Note that images were looked at and kept, besides the ones noted before."""
    return _store(workspace, version, set(sha256s), "keep good images")


def suggest_again(workspace: Workspace, version: InspectorVersion) -> InspectorVersion:
    """Forget which images were kept."""
    return _store(workspace, version, None, "suggest good images again")


def _store(
    workspace: Workspace, version: InspectorVersion, more: set[str] | None, action: str
) -> InspectorVersion:
    """Add images to the kept ones, including those that others have kept meanwhile; None forgets all."""
    require(Role.ENGINEER, "decide which good images stay in the bank")
    with workspace.database.write() as session:
        row = session.get_one(InspectorVersion, version.id)
        kept = set() if more is None else kept_images(row) | more
        row.numbers = row.numbers | {FIELD: sorted(kept)}
        note_event(session, action, row.inspector_id, version=row.number, images=sorted(more or ()))
    return row
