"""Batches of images, scored by an inspector version, and stored with their maps and explanations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Select

from patchcore.errors import DataError, NoImagesError
from patchcore.inspection import place_that_decided
from patchcore.methods import EXPLAIN
from workbench.inspections import history
from workbench.inspections.purpose import Purpose
from workbench.inspections.score_and_store import is_scored, keep_scored, score_image, store_tile
from workbench.inspections.turns.engine import Engine
from workbench.inspectors.capabilities import require_capability
from workbench.inspectors.versions import get_version, good_images, has_good_images, load_model
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError, required
from workbench.storage.map_files import KeptMap, read_map, write_map
from workbench.storage.pictures import TileFile, encode_tile
from workbench.storage.revisions import note_event
from workbench.storage.tables import GOOD, PRODUCTION, Batch, BatchImage, Inspection, InspectorVersion, Result
from workbench.storage.workspace import NamedImage, Workspace

Box = tuple[int, int, int, int]
GOOD_BATCH = "Good images, each scored without itself"

SAME_SCORE = 1e-3  # relative; another processor, or another number of threads, rounds otherwise

_ENGINE = Engine()


@dataclass(frozen=True)
class Explained:
    """Why an image scored as it did: its worst patch, and the nearest patch of the good images."""

    distance: float
    test_box: Box  # x0, y0, x1, y1 in pixels of the test image
    neighbour_sha256: str
    neighbour_name: str
    neighbour_box: Box  # in pixels of the good image

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as the database stores it."""
        return asdict(self) | {"test_box": list(self.test_box), "neighbour_box": list(self.neighbour_box)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Explained:
        """Return the explanation from its `to_dict`."""
        boxes = {name: _box(data[name]) for name in ("test_box", "neighbour_box")}
        return cls(**{**data, **boxes})


def create_batch(
    workspace: Workspace,
    inspector_id: str,
    images: Sequence[NamedImage],
    name: str,
    reading: Mapping[str, Any] | None = None,
    purpose: Purpose = PRODUCTION,
) -> int:
    """Record images to be inspected together and return the batch's id; `score_batch` scores them.

    Parameters
    ----------
    reading
        What was found in reading the files of a labelled set: `labelled_sets.Reading.to_dict`.
    purpose
        "evaluation" for a labelled set: its verdicts count nowhere as production.

    Raises
    ------
    NoImagesError
        When there is no image.
    """
    require(Role.OPERATE, "bring images in")
    if not images:
        raise NoImagesError("There is no image to inspect. Choose at least one.")
    with workspace.database.write() as session:
        batch = Batch(
            inspector_id=inspector_id,
            name=name,
            reading=None if reading is None else dict(reading),
            purpose=purpose,
        )
        session.add(batch)
        session.flush()
        session.add_all(
            BatchImage(
                batch_id=batch.id,
                position=position,
                sha256=image.sha256,
                name=image.name,
                truth=image.truth,
                mask_sha256=image.mask_sha256,
            )
            for position, image in enumerate(images)
        )
        note_event(session, "bring images", inspector_id, batch=batch.id, images=len(images))
    return batch.id


def list_batches(workspace: Workspace, inspector_id: str) -> list[Batch]:
    """Return the batches of images to be inspected, newest first."""
    query = select(Batch).where(Batch.inspector_id == inspector_id, Batch.kind == "test")
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(Batch.id.desc())))


def good_batch(workspace: Workspace, version: InspectorVersion) -> int:
    """Return the batch of the good images that a version's bank was calibrated on, made at the first call.

    `score_batch` scores it leave-one-image-out: each image as if it had not built the bank. One batch serves all
    versions of a bank.
    """
    batch_id = find_good_batch(workspace, version)
    if batch_id is None:
        with suppress(IntegrityError), workspace.database.write() as session:  # another tab may be first
            batch = Batch(
                inspector_id=version.inspector_id, name=GOOD_BATCH, kind="good", bank_id=version.bank_id
            )
            session.add(batch)
        batch_id = find_good_batch(workspace, version)
        assert batch_id is not None  # this session or another one has made it
    _add_good_images(workspace, batch_id, version)
    return batch_id


def find_good_batch(workspace: Workspace, version: InspectorVersion) -> int | None:
    """Return the id of the batch that `good_batch` made; None when it has not been called for this bank."""
    with workspace.database.read() as session:
        return session.scalar(select(Batch.id).where(Batch.bank_id == version.bank_id))


def count_unscored(workspace: Workspace, batch_id: int, version_id: int) -> int:
    """Return how many images of a batch this version has still to score."""
    query = _unscored(batch_id, version_id).with_only_columns(func.count())
    with workspace.database.read() as session:
        return session.scalar(query.order_by(None)) or 0


def score_batch(
    workspace: Workspace, batch_id: int, version: InspectorVersion, *, source: history.Source = "page"
) -> Iterator[Result]:
    """Yield the result of every image this version has not scored yet, each stored before it is yielded.

    Each result of a batch to be inspected has its verdict in the history, stored with it; `source` says how the
    images came. The caller may stop at any point and call again. An image that cannot be read gives a result with
    `.error`.
    The images of a `good_batch` are scored leave-one-image-out, and keep the score that their version has of them.
    An image that a process may have died on comes last, and is left out after the third death.
    """
    suspects = workspace.notes.suspects()
    with workspace.database.read() as session:
        waiting = list(session.scalars(_unscored(batch_id, version.id)))
        leave_out = session.get_one(Batch, batch_id).kind == "good"
    for image in sorted(waiting, key=lambda image: image.sha256 in suspects):
        with _ENGINE.for_queue():
            result = _score_once(workspace, image, version, leave_out, source)
        if result is not None:
            yield result


def list_results(workspace: Workspace, batch_id: int, version_id: int) -> list[Result]:
    """Return the stored results in the batch's order; `.image` has the name, hash and truth."""
    query = (
        select(Result)
        .join(Result.image)
        .where(BatchImage.batch_id == batch_id, Result.version_id == version_id)
        .order_by(BatchImage.position)
    )
    with workspace.database.read() as session:
        return list(session.scalars(query))


def get_result(workspace: Workspace, result_id: int) -> Result:
    """Return one result.

    Raises
    ------
    WorkspaceError
        When there is none.
    """
    with workspace.database.read() as session:
        return required(session, Result, result_id, f"There is no result {result_id}.")


def result_of(workspace: Workspace, inspection: Inspection) -> Result | None:
    """Return the result that an inspection's verdict was given on; None where it is not kept any more."""
    query = select(Result).where(
        Result.batch_image_id == inspection.batch_image_id, Result.version_id == inspection.version_id
    )
    with workspace.database.read() as session:
        return session.scalar(query)


def load_map(workspace: Workspace, result: Result) -> NDArray[np.float32]:
    """Return the anomaly map, float32 [H, W] in units of the score, in the original's own pixels.

    Raises
    ------
    WorkspaceError
        When the image could not be scored.
    """
    return read_map(workspace.root / _require_map(result))


def make_map_again(workspace: Workspace, result: Result) -> None:
    """Compute the anomaly map of a result once more, where its file was lost.

    Raises
    ------
    WorkspaceError
        When the result has no map, or the image scores otherwise now: the map would not belong to the stored score.
    ImageError, ArtifactError
        When the image or the inspector cannot be read.
    """
    target = workspace.root / _require_map(result)
    model = load_model(workspace, get_version(workspace, result.version_id))
    left_out = is_leave_one_out(workspace, result)
    with _ENGINE.for_person():
        scored = model.score(workspace.image_path(result.image.sha256), leave_out=left_out)
    if result.score is None or not math.isclose(scored.score, result.score, rel_tol=SAME_SCORE):
        raise WorkspaceError(
            f"{result.image.name} scores {scored.score:.4g} now, and {result.score:.4g} is stored: its anomaly map "
            "cannot be computed again. Inspect the image once more."
        )
    with workspace.new_file(target) as path:
        write_map(path, scored.map)


def make_overlay_again(workspace: Workspace, inspection: Inspection) -> None:
    """Paint the overlay of an inspection once more, at the thresholds it was judged by, where its file was lost.

    Raises
    ------
    WorkspaceError
        When the image's result, and with it its map, is gone.
    ImageError, OSError
        When the image or the map cannot be read.
    """
    result = result_of(workspace, inspection)
    heat_from = inspection.accept if inspection.pixel is None else inspection.pixel
    if result is None or inspection.overlay_path is None or heat_from is None:
        raise WorkspaceError(f"The anomaly map of {inspection.name} is not kept any more.")
    kept = KeptMap.read(workspace.root / _require_map(result))
    black_white = value_range_of(get_version(workspace, result.version_id))
    pixels = load_pixels(workspace, inspection.sha256, black_white)
    box = place_that_decided(
        result.worst_box, inspection.score, inspection.verdict, inspection.accept, inspection.judge_by
    )
    history.store_overlay(workspace, inspection.overlay_path, kept, pixels, heat_from, box)


def _require_map(result: Result) -> str:
    if result.map_path is None:
        raise WorkspaceError(f"{result.image.name} has no anomaly map: {result.error}")
    return result.map_path


def load_mask(workspace: Workspace, image: BatchImage) -> NDArray[np.bool_] | None:
    """Return where the defect of an image lies, bool [H, W] in the image's own pixels; None when not known.

    Raises
    ------
    WorkspaceError
        When the mask does not fit its image.
    ImageError
        When one of the two cannot be read.
    """
    from patchcore.labels.masks import mask_of  # late: PyTorch comes with it

    if image.mask_sha256 is None:
        return None
    picture = (f"the mask of {image.name}", workspace.image_path(image.mask_sha256))
    try:
        marks = mask_of([picture], None, image_size(workspace, image.sha256))
    except DataError as error:
        raise WorkspaceError(f"{image.name}: {error}") from error
    return None if marks is None else marks.pixels


def is_leave_one_out(workspace: Workspace, result: Result) -> bool:
    """Whether a result belongs to a good image, scored as if it had not built the bank."""
    with workspace.database.read() as session:
        return session.get_one(Batch, result.image.batch_id).kind == "good"


def image_size(workspace: Workspace, sha256: str) -> tuple[int, int]:
    """Return an image's height and width, from an earlier result where there is one."""
    from patchcore.images.reading import read_image  # late: PyTorch comes with it

    sizes = select(Result.height, Result.width).join(Result.image).where(BatchImage.sha256 == sha256)
    with workspace.database.read() as session:
        known = session.execute(sizes.where(Result.height.is_not(None)).limit(1)).first()
    if known is not None and known[0] is not None and known[1] is not None:
        return known[0], known[1]
    record = read_image(workspace.image_path(sha256), value_range=(0.0, 1.0)).record
    return record.height, record.width


def load_pixels(
    workspace: Workspace, sha256: str, value_range: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Return an image as uint8 [H, W, 3]; `value_range` is what black and white are in 16-bit and float files."""
    from patchcore.images.reading import display_pixels, read_image  # late: PyTorch comes with it

    return display_pixels(read_image(workspace.image_path(sha256), value_range=value_range).pixels)


def load_tile(workspace: Workspace, result: Result) -> bytes:
    """Return the bytes of `find_tile`."""
    return find_tile(workspace, result).read()


def find_tile(workspace: Workspace, result: Result) -> TileFile:
    """Return image and map as one small file for the viewer; stored when scoring, else made now and kept.

    Raises
    ------
    WorkspaceError
        When the image could not be scored.
    """
    map_path = _require_map(result)
    found = TileFile.find(workspace, map_path)
    if found is None:
        version = get_version(workspace, result.version_id)
        scores = load_map(workspace, result)
        pixels = load_pixels(workspace, result.image.sha256, value_range_of(version))
        tile = encode_tile(pixels, scores, version.operating_point["reject"])
        store_tile(workspace, workspace.tile_path(map_path), tile)
        found = TileFile.find(workspace, map_path)
        assert found is not None  # just stored
    return found


def value_range_of(version: InspectorVersion) -> tuple[float, float] | None:
    """Return what black and white are in 16-bit and float files, as the version was built with."""
    black_white = version.settings["value_range"]
    return None if black_white is None else (black_white[0], black_white[1])


def explain(workspace: Workspace, result: Result) -> Explained:
    """Return why an image scored as it did; computed at the first question and stored.

    Raises
    ------
    SettingsError
        The version's method does not compare with single patches.
    """
    if result.explanation is not None:
        return Explained.from_dict(result.explanation)
    version = get_version(workspace, result.version_id)
    require_capability(version, EXPLAIN)
    model = load_model(workspace, version)
    with _ENGINE.for_person():
        source: Any = workspace.image_path(result.image.sha256)
        if is_leave_one_out(workspace, result):
            source = model.score(source, leave_out=True)
        why = model.explain(source)
    names = {image.sha256: image.name for image in good_images(workspace, version)}
    explained = Explained(
        distance=float(why.distance),
        test_box=_box(why.test_box),
        neighbour_sha256=why.neighbour_sha256,
        neighbour_name=names.get(why.neighbour_sha256, why.neighbour_image),
        neighbour_box=_box(why.neighbour_box),
    )
    result.explanation = explained.to_dict()
    with workspace.database.write() as session:
        session.get_one(Result, result.id).explanation = result.explanation
    return explained


def _unscored(batch_id: int, version_id: int) -> Select[BatchImage]:
    scored = exists().where(Result.batch_image_id == BatchImage.id, Result.version_id == version_id)
    return select(BatchImage).where(BatchImage.batch_id == batch_id, ~scored).order_by(BatchImage.position)


def _add_good_images(workspace: Workspace, batch_id: int, version: InspectorVersion) -> None:
    """Add the good images that have a score now: the smallest banks hold no row of another image for some."""
    present = select(BatchImage.sha256).where(BatchImage.batch_id == batch_id)
    with workspace.database.read() as session:
        if set(version.good_scores) <= set(session.scalars(present)):
            return
    if not has_good_images(version):
        return  # there is nothing to score
    images = {image.sha256: image for image in good_images(workspace, version)}
    with workspace.database.write() as session:
        there = set(session.scalars(present))
        session.add_all(
            BatchImage(
                batch_id=batch_id,
                position=image.position,
                sha256=sha256,
                name=image.name,
                truth=GOOD,
            )
            for sha256, image in images.items()
            if sha256 in version.good_scores and sha256 not in there
        )


def _score_once(
    workspace: Workspace,
    image: BatchImage,
    version: InspectorVersion,
    leave_out: bool,
    source: history.Source,
) -> Result | None:
    """Score an image and store its result, unless another session did meanwhile."""
    with workspace.database.read() as session:
        if is_scored(session, image.id, version.id):
            return None
    scored = score_image(workspace, image.sha256, version, leave_out=leave_out)
    with workspace.database.write() as session:
        kept = keep_scored(session, image, scored, source=source)
    if kept is None or kept.inspection is None:  # another was first
        scored.discard(workspace)
    return None if kept is None else kept.result


def _box(values: Sequence[int]) -> Box:
    x0, y0, x1, y1 = (int(value) for value in values)
    return x0, y0, x1, y1
