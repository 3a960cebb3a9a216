"""Kept files: files that rows of the database name, and other files that a user made."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.engine import Connection

from workbench.storage.database import WorkspaceError
from workbench.storage.tables import BatchImage, Image, Inspection, Inspector, InspectorVersion, Job, Result
from workbench.storage.workspace import Workspace

NAMELESS = "?"  # for a row without an inspector: the check reports it, and its file is kept until then
Kind = Literal["image", "model", "map", "overlay"]


@dataclass(frozen=True)
class KeptFile:
    """A file that a row names: it must exist, whole, as long as the row does."""

    path: str  # from the workspace's root, with forward slashes
    kind: Kind
    owner: str  # the row's object, as a user knows it
    row_id: int | str
    sha256: str | None = None  # SHA-256 of the file's bytes, where the row knows it
    own: tuple[str, ...] = ()  # the folder that it must lie in, from the root

    def place(self, workspace: Workspace) -> Path:
        """Return the file's path.

        Raises
        ------
        WorkspaceError
            The row names a path outside of its own folder.
        """
        return workspace.below(self.path, *self.own)


def kept_files(workspace: Workspace, connection: Connection) -> Iterator[KeptFile]:
    """Yield the files that rows name, each once: images, models, anomaly maps, overlays."""
    yield from _images(connection)
    yield from _models(connection)
    yield from _maps(connection)
    yield from _overlays(connection)


def loose_files(workspace: Workspace, connection: Connection) -> Iterator[Path]:
    """Yield the files that belong to a user's work though no row names them: regions drawn, logs of jobs."""
    found = sorted((workspace.root / "regions").glob("*.json"))
    for job_id in connection.scalars(select(Job.id).order_by(Job.id)):
        found.append(workspace.root / "jobs" / str(job_id) / "job.log")
    for path in found:
        with suppress(WorkspaceError):  # a link: nothing of ours
            if workspace.below(path, path.relative_to(workspace.root).parts[0]).is_file():
                yield path


def _images(connection: Connection) -> Iterator[KeptFile]:
    for sha256, suffix, name in connection.execute(select(Image.sha256, Image.suffix, Image.original_name)):
        own = ("images", sha256[:2])
        path = "/".join((*own, f"{sha256}{suffix}"))
        yield KeptFile(path, "image", f"the image {name}", sha256, sha256, own)


def _models(connection: Connection) -> Iterator[KeptFile]:
    """Versions that differ only in share or threshold use one file; the first of them owns it."""
    query = (
        select(
            InspectorVersion.id,
            InspectorVersion.path,
            InspectorVersion.number,
            InspectorVersion.inspector_id,
            Inspector.name,
        )
        .outerjoin(Inspector, Inspector.id == InspectorVersion.inspector_id)
        .order_by(InspectorVersion.id)
    )
    seen: set[tuple[str, str]] = set()
    for version_id, path, number, inspector_id, name in connection.execute(query):
        if (path, inspector_id) not in seen:
            seen.add((path, inspector_id))
            owner, own = f"version {number} of {name or NAMELESS}", ("inspectors", inspector_id)
            yield KeptFile(path, "model", owner, version_id, own=own)


def _maps(connection: Connection) -> Iterator[KeptFile]:
    """An image that one version scored twice has two results with one map."""
    query = (
        select(Result.map_path, Result.id, Result.version_id, BatchImage.name)
        .outerjoin(BatchImage, BatchImage.id == Result.batch_image_id)
        .where(Result.map_path.is_not(None))
        .order_by(Result.id)
    )
    seen: set[tuple[str, int]] = set()
    for path, result_id, version_id, name in connection.execute(query):
        if path is not None and (path, version_id) not in seen:
            seen.add((path, version_id))
            owner, own = f"the anomaly map of {name or NAMELESS}", ("results", str(version_id))
            yield KeptFile(path, "map", owner, result_id, own=own)


def _overlays(connection: Connection) -> Iterator[KeptFile]:
    query = select(Inspection.overlay_path, Inspection.id, Inspection.name).order_by(Inspection.id)
    for path, inspection_id, name in connection.execute(query.where(Inspection.overlay_path.is_not(None))):
        if path is not None:
            yield KeptFile(path, "overlay", f"the kept overlay of {name}", inspection_id, own=("history",))
