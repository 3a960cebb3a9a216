"""Good images that somebody has looked at in the audit and kept, so that they are not suggested again."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.tables import InspectorVersion
from workbench.workspace import Workspace

FIELD = "kept"  # of `InspectorVersion.numbers`, which later versions take over


def kept_images(version: InspectorVersion) -> set[str]:
    """Return the SHA-256 of the good images that were kept."""
    return set(version.numbers.get(FIELD, []))


def keep(workspace: Workspace, version: InspectorVersion, sha256s: Iterable[str]) -> InspectorVersion:
    """Note that images were looked at and kept, besides those that were before."""
    return _store(workspace, version, kept_images(version) | set(sha256s))


def suggest_again(workspace: Workspace, version: InspectorVersion) -> InspectorVersion:
    """Forget which images were kept."""
    return _store(workspace, version, set())


def _store(workspace: Workspace, version: InspectorVersion, sha256s: set[str]) -> InspectorVersion:
    with workspace.database.write() as session:
        row = session.get_one(InspectorVersion, version.id)
        row.numbers = row.numbers | {FIELD: sorted(sha256s)}
    return row
