"""Expiry: the rows and files that go with old inspections, and their deletion.

Rows go first, in small transactions, their files after: a crash in between leaves files without rows, which the check
finds. An image goes when nothing else refers to it. Good images of a bank, images that a threshold was set from, and
labelled images with their results always stay; only their row in the history and its overlay go. Images touched within
a day stay too: an image that was uploaded again is somebody's present work.

Age goes by the clock and by the order of ids, because the clock may have been wrong for a while (`is_old`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, select, tuple_, update
from sqlalchemy.orm import Session

from patchcore.disk.in_use import delete_file
from workbench.jobs.requests import UNFINISHED, JobState
from workbench.storage.clock import stored_since
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import (
    Base,
    Batch,
    BatchImage,
    Image,
    Inspection,
    Job,
    LabelChange,
    PointRecord,
    Result,
    Scoring,
)
from workbench.storage.timestamps import now
from workbench.storage.workspace import AT_ONCE, Workspace

PIECE = 200  # inspections in one transaction: others write in between
LATELY = 86_400.0  # seconds
AHEAD = timedelta(days=1)  # by which a row's time may be beyond the present; a later one is a wrong clock's


@dataclass(frozen=True)
class Gone:
    """The counts of deleted things, or of things to be deleted."""

    inspections: int = 0
    pictures: int = 0  # uploaded images
    size_bytes: int = 0  # with overlays and maps

    def __add__(self, other: Gone) -> Gone:
        """Add the counts of two pieces."""
        return Gone(
            self.inspections + other.inspections,
            self.pictures + other.pictures,
            self.size_bytes + other.size_bytes,
        )


@dataclass
class Piece:
    """Counts of rows deleted together, and their files, to be deleted after them."""

    gone: Gone
    files: list[Path] = field(default_factory=list)

    def delete_files(self) -> None:
        """Delete the files, except those written again meanwhile."""
        for path in self.files:
            if not _is_touched(path):
                delete_file(path)


def is_old(session: Session, before: datetime) -> ColumnElement[bool]:
    """Return the condition by which inspections are older than `before`, by the clock and by the order of ids.

    An inspection stored after one that is young enough is young, whatever its own time says, and so is one stored after
    a mark of the clock that is young enough. One whose time is yet to
    come is old once a later one is old.
    """
    last = now() + AHEAD
    in_time = select(Inspection.id).where(Inspection.created >= before, Inspection.created <= last)
    young_from = session.scalar(in_time.order_by(Inspection.id).limit(1))
    marked = stored_since(session, before, last)
    old = Inspection.created < before
    if young_from is not None:
        old &= Inspection.id < young_from
    if marked is not None:
        old &= Inspection.id <= marked
    latest_old = session.scalar(select(func.max(Inspection.id)).where(old))
    ahead = (Inspection.created > last) & (Inspection.id < (latest_old or 0))
    return old | ahead


def count_rows(workspace: Workspace, session: Session, old: ColumnElement[bool]) -> Gone:
    """Count everything that goes with all inspections that are `old`; nothing is changed."""
    rows_of_old = session.execute(
        select(Inspection.overlay_path, Result.map_path, BatchImage.truth, BatchImage.mask_sha256)
        .outerjoin(BatchImage, BatchImage.id == Inspection.batch_image_id)
        .outerjoin(Result, _result_of(Inspection))
        .where(old)
    ).all()
    going = _going_images(old)
    hashes = set(session.scalars(going.with_only_columns(BatchImage.sha256).distinct()))
    of_deleted_batches = old, Inspection.batch_image_id.is_(None)
    hashes |= set(session.scalars(select(Inspection.sha256).where(*of_deleted_batches)))
    kept = _named_elsewhere(session, hashes, going.with_only_columns(BatchImage.id))
    kept |= _inspected_since(session, hashes, old)
    rows = _rows_of(workspace, session, hashes - kept)
    images = [one for one in rows if not _is_lately(workspace, one)]
    maps = {
        row.map_path for row in rows_of_old if row.map_path and row.truth is None and row.mask_sha256 is None
    }
    paths = _overlays(workspace, [row.overlay_path for row in rows_of_old])
    paths += [
        file for path in maps - _staying_maps(session, maps, old) for file in map_files(workspace, path)
    ]
    return Gone(len(rows_of_old), len(images), _bytes_of(images) + sum(map(_size, paths)))


def delete_rows(workspace: Workspace, session: Session, old: ColumnElement[bool]) -> Piece:
    """Delete some of the old inspections, with the rows that only they need."""
    rows = session.scalars(select(Inspection).where(old).order_by(Inspection.id).limit(PIECE)).all()
    files = _overlays(workspace, [row.overlay_path for row in rows])
    ids = [row.id for row in rows]
    images = {row.batch_image_id for row in rows if row.batch_image_id is not None}
    pairs = [(row.batch_image_id, row.version_id) for row in rows]
    for column in _references(Inspection.__table__.c.id):
        session.execute(update(column.table).where(column.in_(ids)).values({column.name: None}))
    session.execute(delete(Inspection).where(Inspection.id.in_(ids)))
    unlabelled = set(
        session.scalars(
            select(BatchImage.id).where(
                BatchImage.id.in_(images), BatchImage.truth.is_(None), BatchImage.mask_sha256.is_(None)
            )
        )
    )
    files += _delete_results(workspace, session, [pair for pair in pairs if pair[0] in unlabelled])
    hashes = _delete_batch_images(session, unlabelled)
    hashes |= {row.sha256 for row in rows if row.batch_image_id is None}  # of deleted batches
    pictures = [one for one in free_pictures(workspace, session, hashes) if not _is_lately(workspace, one)]
    session.execute(delete(Image).where(Image.sha256.in_([image.sha256 for image in pictures])))
    gone = Gone(len(rows), len(pictures), _bytes_of(pictures) + sum(map(_size, files)))
    files += [workspace.image_file(image.sha256, image.suffix) for image in pictures]
    return Piece(gone, files + [workspace.thumbnail_path(image.sha256) for image in pictures])


def _delete_results(
    workspace: Workspace, session: Session, pairs: Sequence[tuple[int | None, int | None]]
) -> list[Path]:
    """Delete results and return the files of maps that no other result uses."""
    these = tuple_(Result.batch_image_id, Result.version_id).in_(pairs)
    maps = {path for path in session.scalars(select(Result.map_path).where(these)) if path}
    session.execute(delete(Result).where(these))
    still = set(session.scalars(select(Result.map_path).where(Result.map_path.in_(maps))))
    return [file for path in maps - still for file in map_files(workspace, path)]


def _delete_batch_images(session: Session, ids: set[int]) -> set[str]:
    """Delete images of batches without result or inspection, and empty batches; return the images' hashes."""
    for column in _references(BatchImage.__table__.c.id, besides=LabelChange.__table__):
        ids = ids - set(session.scalars(select(column).where(column.in_(ids))))
    rows = session.execute(select(BatchImage.sha256, BatchImage.batch_id).where(BatchImage.id.in_(ids))).all()
    session.execute(delete(LabelChange).where(LabelChange.batch_image_id.in_(ids)))
    session.execute(delete(BatchImage).where(BatchImage.id.in_(ids)))
    empty = ~exists().where(BatchImage.batch_id == Batch.id)
    batches = {row.batch_id for row in rows}
    gone = list(session.scalars(select(Batch.id).where(Batch.id.in_(batches), Batch.kind == "test", empty)))
    session.execute(delete(Scoring).where(Scoring.batch_id.in_(gone)))
    session.execute(delete(Batch).where(Batch.id.in_(gone)))
    return {row.sha256 for row in rows}


def _going_images(old: ColumnElement[bool]) -> Any:
    """Select the images of batches that go with old inspections."""
    of_it = Inspection.batch_image_id == BatchImage.id
    judged_since = exists().where(of_it, ~old)
    old_twin = exists().where(_result_of(Inspection), old)
    other_result = exists().where(Result.batch_image_id == BatchImage.id, ~old_twin)
    return (
        select(BatchImage)
        .where(
            BatchImage.truth.is_(None),
            BatchImage.mask_sha256.is_(None),
            exists().where(of_it, old),
            ~judged_since,
            ~other_result,
        )
        .correlate(None)
    )  # an alias: outer queries select from the same table


def _result_of(inspection: type[Inspection]) -> Any:
    return (Result.batch_image_id == inspection.batch_image_id) & (Result.version_id == inspection.version_id)


def _staying_maps(session: Session, maps: set[str], old: ColumnElement[bool]) -> set[str]:
    """Return map files still used by a result that is kept."""
    old_twin = exists().where(_result_of(Inspection), old)
    labelled = BatchImage.truth.is_not(None) | BatchImage.mask_sha256.is_not(None)
    query = select(Result.map_path).join(Result.image).where(~old_twin | labelled)
    return _among(session, query, Result.map_path, maps)


def _named_elsewhere(session: Session, hashes: set[str], besides: Any = None) -> set[str]:
    """Return the images that a row names, a threshold was set from, or an unfinished job will read.

    Images of batches in `besides` do not count.
    """
    named: set[str] = set()
    for column in _references(Image.__table__.c.sha256):
        query = select(column)
        if besides is not None and column.table is BatchImage.__table__:
            query = query.where(BatchImage.id.not_in(besides))
        named |= _among(session, query, column, hashes)
    for data in session.scalars(select(PointRecord.data)):
        named |= hashes & {sha256 for part in data["evidence"].values() for sha256 in part}
    unfinished = [JobState.FAILED, *UNFINISHED]
    for arguments in session.scalars(select(Job.arguments).where(Job.state.in_(unfinished))):
        text = json.dumps(arguments)
        named |= {sha256 for sha256 in hashes if sha256 in text}
    return named


def _inspected_since(session: Session, hashes: set[str], old: ColumnElement[bool] | None) -> set[str]:
    """Return the images of inspections that are kept."""
    query = select(Inspection.sha256)
    if old is not None:
        query = query.where(~old)
    return _among(session, query, Inspection.sha256, hashes)


def _among(session: Session, query: Any, column: Any, values: Iterable[str]) -> set[str]:
    """Run a query for a few values of a column at a time."""
    wanted, found = sorted(values), set()
    for start in range(0, len(wanted), AT_ONCE):
        found |= set(session.scalars(query.where(column.in_(wanted[start : start + AT_ONCE]))))
    return found


def free_pictures(
    workspace: Workspace, session: Session, hashes: Iterable[str], besides: int | None = None
) -> list[Row[Any]]:
    """Return hash, suffix and size of the images that nothing refers to: no row, threshold, verdict or waiting job.

    Parameters
    ----------
    besides
        A batch whose own references do not count.
    """
    these = set(hashes)
    of_batch = None if besides is None else select(BatchImage.id).where(BatchImage.batch_id == besides)
    named = _named_elsewhere(session, these, of_batch) | _inspected_since(session, these, None)
    return _rows_of(workspace, session, these - named)


def _rows_of(workspace: Workspace, session: Session, hashes: Iterable[str]) -> list[Row[Any]]:
    """Return hash, suffix and size of images."""
    wanted = sorted(hashes)
    rows: list[Row[Any]] = []
    columns = select(Image.sha256, Image.suffix, Image.size_bytes)
    for start in range(0, len(wanted), AT_ONCE):
        rows.extend(session.execute(columns.where(Image.sha256.in_(wanted[start : start + AT_ONCE]))))
    return [row for row in rows if _image_of(workspace, row) is not None]


def _is_lately(workspace: Workspace, row: Row[Any]) -> bool:
    """Whether somebody has uploaded an image again lately."""
    path = _image_of(workspace, row)
    return path is not None and _is_touched(path)


def _image_of(workspace: Workspace, row: Row[Any]) -> Path | None:
    """Return the file of an image; None where the row leads elsewhere, and then both stay."""
    try:
        return workspace.image_file(row.sha256, row.suffix)
    except WorkspaceError:
        return None


def _references(target: Any, besides: Any = None) -> list[Any]:
    """Return the columns of all tables that point to a column."""
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is target and table is not besides
    ]


def _overlays(workspace: Workspace, paths: Iterable[str | None]) -> list[Path]:
    """Return the files of overlays; where a row leads elsewhere, the row goes and its file stays."""
    files = []
    for path in paths:
        with suppress(WorkspaceError):
            if path:
                files.append(workspace.below(path, "history"))
    return files


def map_files(workspace: Workspace, path: str) -> list[Path]:
    """Return the files of a map; empty where the row leads elsewhere."""
    try:
        return [workspace.below(path, "results"), workspace.tile_path(path)]
    except WorkspaceError:
        return []


def _bytes_of(images: Iterable[Row[Any]]) -> int:
    return sum(image.size_bytes for image in images)


def _is_touched(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < LATELY
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
