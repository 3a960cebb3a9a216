"""One image scored by a version: its map, tile and overlay on disk first, then its rows in one transaction."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from patchcore.disk.faults import may_pass
from patchcore.disk.in_use import delete_file
from patchcore.disk.work_notes import SCORE
from patchcore.errors import DataError, ImageError, PatchCoreError, program_fault
from patchcore.inspection import judge
from workbench.inspections import history
from workbench.inspectors.versions import load_model
from workbench.storage.map_files import KeptMap
from workbench.storage.pictures import encode_tile
from workbench.storage.tables import BatchImage, Image, Inspection, InspectorVersion, Result
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.images.reading import ImageRecord, LoadedImage
    from patchcore.scoring import Result as Scored

log = logging.getLogger(__name__)


@dataclass
class ScoredImage:
    """What a version found in an image; its files are stored, its rows are not.

    Attributes
    ----------
    version
        What scored it, as it was then.
    force
        The thresholds that were in force then.
    leave_out
        Whether it was scored as a good image that had not built the bank: no inspection then.
    columns
        Of the `Result` to be.
    seen
        Inspection and overlay; None when it could not be scored, or left out.
    record
        Of the image, with the hash of its pixels; None for one that a watched folder has read.
    """

    version: InspectorVersion
    force: history.InForce
    leave_out: bool
    columns: dict[str, Any] = field(default_factory=dict)
    seen: history.Seen | None = None
    record: ImageRecord | None = None

    def discard(self, workspace: Workspace) -> None:
        """Delete the overlay, which no row will name; map and tile may be another result's too."""
        if self.seen is not None:
            delete_file(workspace.root / self.seen.overlay_path)


@dataclass(frozen=True)
class Kept:
    """The rows of a scored image; no inspection where the history had this version's verdict already."""

    result: Result
    inspection: Inspection | None


def score_image(
    workspace: Workspace,
    sha256: str,
    version: InspectorVersion,
    *,
    leave_out: bool = False,
    loaded: LoadedImage | None = None,
) -> ScoredImage:
    """Score a stored image; one that cannot be scored gets an error in its columns.

    Parameters
    ----------
    leave_out
        Whether to score it as if it had not built the bank.
    loaded
        The image, when it has been read already.
    """
    from patchcore.images.raw_image import memory_for  # late: PyTorch comes with it
    from patchcore.images.reading import in_work

    with workspace.database.read() as session:
        force = history.in_force(session, version.id)
        image = session.get(Image, sha256)
    name = sha256 if image is None else image.original_name
    model = load_model(workspace, version)  # a death while it loads is not the image's
    found = ScoredImage(version, force, leave_out)
    try:
        with in_work(sha256, name, SCORE, workspace.notes), memory_for(name):
            _score(workspace, model, sha256, found, loaded)
    except ImageError as error:
        workspace.require_there()
        if isinstance(error.__cause__, OSError) and may_pass(error.__cause__, workspace.root):
            raise error.__cause__ from error  # a disk that does not answer makes no image a broken one
        found.columns["error"] = error.reason
    except DataError as error:  # nothing but the image's own rows is in the bank
        found.columns["error"] = str(error)
    except (PatchCoreError, SQLAlchemyError, OSError):
        raise
    except Exception as fault:  # a fault of the program on one image must not stop the others
        log.exception("Scoring %s by version %s failed.", sha256, version.id)
        found.columns["error"] = program_fault(fault)
    if "error" in found.columns:
        found.columns |= {"score": None, "map_path": None}  # the fault may have come after the score
    return found


def _score(
    workspace: Workspace, model: Detector, sha256: str, found: ScoredImage, loaded: LoadedImage | None
) -> None:
    """Score an image into `found`, and store its files; errors as for `Detector.score`."""
    from patchcore.images.reading import display_pixels, read_image  # late: PyTorch comes with it

    version, force, leave_out = found.version, found.force, found.leave_out
    began = time.perf_counter()
    if loaded is None:
        loaded = read_image(workspace.image_path(sha256), value_range=model.settings.value_range)
        found.record = loaded.hashed_record
    found.columns["remarks"] = model.good_set_.remarks_on(loaded.record, leave_out=leave_out)
    scored = model.score(loaded, leave_out=leave_out)
    found.columns["doubts"] = [doubt.to_dict() for doubt in scored.doubts]
    found.columns["seconds"] = time.perf_counter() - began
    kept, pixels = KeptMap.of(scored.map), display_pixels(loaded.pixels)
    target = workspace.map_path(version.id, sha256, left_out=leave_out)
    found.columns |= _stored(workspace, scored, kept, target)
    if leave_out:  # as thresholds were set from
        found.columns["score"] = version.good_scores.get(sha256, found.columns["score"])
    tile = encode_tile(pixels, scored.map, version.operating_point["reject"])
    store_tile(workspace, workspace.tile_path(found.columns["map_path"]), tile)
    if not leave_out:
        # Where regions decide they must be those that the page finds later, in the map that is stored.
        searched = scored if force.point.judge_by == "score" else replace(scored, map=kept.full())
        inspection = judge(searched, force.point, model.bank_id_ if force.point.stale else None)
        found.seen = history.look(workspace, force, inspection, kept, pixels)


def keep_scored(
    session: Session, image: BatchImage, scored: ScoredImage, *, source: history.Source
) -> Kept | None:
    """Store the rows of a scored image; None when it has a result already, or its version another share by now."""
    if is_scored(session, image.id, scored.version.id) or has_moved_on(session, scored.version):
        return None
    result = Result(batch_image_id=image.id, version_id=scored.version.id, **scored.columns)
    if scored.record is not None:
        session.get_one(Image, image.sha256).describe(scored.record.to_dict())
    session.add(result)
    inspection = None
    if not scored.leave_out:
        inspection = history.record(session, image, result, scored.force, scored.seen, source=source)
    session.flush()
    session.refresh(result, ["image"])
    return Kept(result, inspection)


def is_scored(session: Session, batch_image_id: int, version_id: int) -> bool:
    """Whether a version has a result for an image."""
    found = select(Result.id).where(Result.batch_image_id == batch_image_id, Result.version_id == version_id)
    return session.scalar(found) is not None


def has_moved_on(session: Session, version: InspectorVersion) -> bool:
    """Whether a version was given another share while the image was scored: the result is not its own then."""
    return session.get_one(InspectorVersion, version.id).share != version.share


def store_tile(workspace: Workspace, target: Path, tile: bytes) -> None:
    """Store an image with its map, encoded for the viewer."""
    with workspace.new_file(target) as path:
        path.write_bytes(tile)


def _stored(workspace: Workspace, scored: Scored, kept: KeptMap, target: Path) -> dict[str, Any]:
    """Write the map to disk and return what else was found, as columns."""
    with workspace.new_file(target) as path:
        kept.write(path)
    height, width = scored.map.shape
    return {
        "map_path": workspace.relative(target),
        "score": float(scored.score),
        "height": height,
        "width": width,
        "worst_box": [int(edge) for edge in scored.worst_box],
    }
