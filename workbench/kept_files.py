"""Which files of the workspace the rows of the database name, and what else in it a user made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.engine import Connection

from workbench.tables import BatchImage, Image, Inspection, Inspector, InspectorVersion, Job, Result
from workbench.workspace import Workspace

NAMELESS = "?"  # of a row that points to none: the check finds it, and its file is kept until then
Kind = Literal["image", "model", "map", "overlay"]


@dataclass(frozen=True)
class KeptFile:
    """A file that a row names: it must be there, whole, for as long as the row is."""

    path: str  # from the workspace's root, with forward slashes
    kind: Kind
    owner: str  # the row, as a user knows it
    row_id: int | str
    sha256: str | None = None  # of the file's bytes, where the row knows


def kept_files(workspace: Workspace, connection: Connection) -> Iterator[KeptFile]:
    """Yield the files that rows name, each once: images, models, anomaly maps, overlays."""
    yield from _images(workspace, connection)
    yield from _models(connection)
    yield from _maps(connection)
    yield from _overlays(connection)


def loose_files(workspace: Workspace, connection: Connection) -> Iterator[Path]:
    """Yield the files that belong to a user's work though no row names them: regions drawn, logs of jobs."""
    yield from sorted((workspace.root / "regions").glob("*.json"))
    for job_id in connection.scalars(select(Job.id).order_by(Job.id)):
        log = workspace.job_folder(job_id) / "job.log"
        if log.is_file():
            yield log


def _images(workspace: Workspace, connection: Connection) -> Iterator[KeptFile]:
    for sha256, suffix, name in connection.execute(select(Image.sha256, Image.suffix, Image.original_name)):
        path = workspace.relative(workspace.image_file(sha256, suffix))
        yield KeptFile(path, "image", f"the image {name}", sha256, sha256)


def _models(connection: Connection) -> Iterator[KeptFile]:
    """Versions that differ in their share or threshold only have one file; the first of them owns it."""
    query = (
        select(InspectorVersion.id, InspectorVersion.path, InspectorVersion.number, Inspector.name)
        .outerjoin(Inspector, Inspector.id == InspectorVersion.inspector_id)
        .order_by(InspectorVersion.id)
    )
    seen: set[str] = set()
    for version_id, path, number, name in connection.execute(query):
        if path not in seen:
            seen.add(path)
            yield KeptFile(path, "model", f"version {number} of {name or NAMELESS}", version_id)


def _maps(connection: Connection) -> Iterator[KeptFile]:
    """An image that occurs twice in what one version scored has two results with one map."""
    query = (
        select(Result.map_path, Result.id, BatchImage.name)
        .outerjoin(BatchImage, BatchImage.id == Result.batch_image_id)
        .where(Result.map_path.is_not(None))
        .order_by(Result.id)
    )
    seen: set[str] = set()
    for path, result_id, name in connection.execute(query):
        if path is not None and path not in seen:
            seen.add(path)
            yield KeptFile(path, "map", f"the anomaly map of {name or NAMELESS}", result_id)


def _overlays(connection: Connection) -> Iterator[KeptFile]:
    query = select(Inspection.overlay_path, Inspection.id, Inspection.name).order_by(Inspection.id)
    for path, inspection_id, name in connection.execute(query.where(Inspection.overlay_path.is_not(None))):
        if path is not None:
            yield KeptFile(path, "overlay", f"the kept overlay of {name}", inspection_id)
