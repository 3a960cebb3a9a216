"""The inspector that judges a folder: its version and thresholds in use, looked up again for each image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from patchcore.errors import ImageError
from workbench.inspections.history import InForce, in_force
from workbench.inspectors.versions import find_inspector, load_model
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Inspector, InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey
from workbench.watching.history import waits_for_room
from workbench.watching.verdict import JudgedFile, ModelJudge

if TYPE_CHECKING:
    from patchcore.detector import Detector


class InspectorJudge:
    """Judges each file by the version and thresholds of an inspector that are in use when the file is read."""

    def __init__(self, workspace: Workspace, inspector_id: str) -> None:
        self.workspace, self.inspector_id = workspace, inspector_id

    def __call__(self, key: FileKey, data: bytes) -> JudgedFile:
        """Score a file by its bytes; errors as for `ModelJudge` and `model_in_use`."""
        return self.in_use()(key, data)

    def broken(self, key: FileKey, data: bytes, why: ImageError) -> JudgedFile:
        """Return the record of a file that cannot be scored."""
        return self.in_use().broken(key, data, why)

    def in_use(self) -> ModelJudge:
        """Return a judge of the version and thresholds in use now."""
        with waits_for_room(self.workspace):
            _, version, model = model_in_use(self.workspace, self.inspector_id)
            with self.workspace.database.read() as session:
                force = in_force(session, version.id)
        return ModelJudge(model, force.inspector_name, force.point, columns_of(force))


def model_in_use(workspace: Workspace, inspector_id: str) -> tuple[Inspector, InspectorVersion, Detector]:
    """Return an inspector, its version in use, and its model, loaded.

    Raises
    ------
    WorkspaceError
        The inspector was deleted meanwhile.
    """
    inspector = find_inspector(workspace, inspector_id)
    if inspector is None or inspector.current is None or inspector.deleted is not None:
        raise WorkspaceError(
            "The inspector that judges the images of this folder has been deleted. Restore it, or stop this "
            "watch and start one with another."
        )
    return inspector, inspector.current, load_model(workspace, inspector.current)


def columns_of(force: InForce) -> dict[str, Any]:
    """Return the columns of an inspection that name its inspector, version and thresholds."""
    return {
        "inspector_id": force.inspector_id,
        "inspector_name": force.inspector_name,
        "version_id": force.version_id,
        "version_number": force.version_number,
        "point_id": force.point_id,
        "point_number": force.point_number,
    }


def columns_of_file(workspace: Workspace, file: Path) -> dict[str, Any]:
    """Return the columns of `columns_of` for an inspector's file; {} where the workspace has no such version."""
    try:
        path = workspace.relative(file.resolve())
    except ValueError:
        return {}
    query = select(InspectorVersion, Inspector).join(Inspector, Inspector.id == InspectorVersion.inspector_id)
    with workspace.database.read() as session:
        found = session.execute(query.where(InspectorVersion.path == path).limit(1)).first()
    if found is None:
        return {}
    version, owner = found
    return {
        "inspector_id": owner.id,
        "inspector_name": owner.name,
        "version_id": version.id,
        "version_number": version.number,
    }
