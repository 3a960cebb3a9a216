"""A new version of an inspector with its own bank: the file on disk first, then the rows in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workbench.inspectors.good_doubts import measured_doubts
from workbench.inspectors.names import free_name
from workbench.inspectors.point_history import put_in_force
from workbench.inspectors.recalibration import ShareNumbers
from workbench.people.roles import Role, require
from workbench.storage.places import require_id
from workbench.storage.revisions import note_change
from workbench.storage.tables import Image, Inspector, InspectorImage, InspectorVersion
from workbench.storage.workspace import Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector

MODEL_FILE = "model.patchcore"
ELSEWHERE = "images_elsewhere"
"""Of `InspectorVersion.numbers`: [SHA-256, name, taught] of each good image that is not in the workspace."""


def next_number(session: Session, inspector_id: str) -> int:
    """Return the number of the next version of an inspector; no number is used twice."""
    numbers = select(func.max(InspectorVersion.number)).where(InspectorVersion.inspector_id == inspector_id)
    gone = select(Inspector.last_number).where(Inspector.id == inspector_id)
    return max(session.scalar(numbers) or 0, session.scalar(gone) or 0) + 1


def store_version(
    workspace: Workspace,
    inspector_id: str,
    model: Detector,
    numbers: ShareNumbers,
    *,
    settings: dict[str, Any],
    measured: dict[str, Any],
    change: str,
    note: str = "",
    why: str,
    thumbnail_sha256: str | None = None,
    seen: int | None = None,
    also: Callable[[Session, InspectorVersion], None] | None = None,
) -> InspectorVersion:
    """Put a fitted model into the workspace as the current version of an inspector, which is made when absent.

    A new inspector is called as the settings say; where another has this name, a number follows it.

    Parameters
    ----------
    model
        The model to be saved, at any share.
    numbers
        Figures at the share to be in use.
    settings
        `building.BuildSettings.to_dict()`.
    measured
        For `InspectorVersion.numbers`; with `ELSEWHERE` where the good images are not in the workspace.
    change
        The action that made it, as in `InspectorVersion.change`.
    note, why
        Notes on the version and on its operating point.
    thumbnail_sha256
        The picture on its card; None for the first good image.
    seen
        As `revisions.note_change` takes it.
    also
        Called in the same transaction, so that its rows exist exactly when the version does.

    Raises
    ------
    WorkspaceError
        No inspector has this id.
    """
    person = require(Role.ENGINEER, "make versions of inspectors")
    require_id(inspector_id)
    with workspace.draft_folder() as draft:
        model.save(draft / MODEL_FILE)
        with workspace.database.write() as session:
            inspector = session.get(Inspector, inspector_id)
            if inspector is None:
                inspector = Inspector(
                    id=inspector_id, name=free_name(session, settings["name"]), product=settings["product"]
                )
                session.add(inspector)
                session.flush()
            number = next_number(session, inspector_id)
            folder = workspace.version_folder(inspector_id, number)
            version = InspectorVersion(
                inspector_id=inspector_id,
                number=number,
                path=workspace.relative(folder / MODEL_FILE),
                settings=settings,
                largest_share=model.size.largest_share,
                numbers=measured | measured_doubts(model),
                thumbnail_sha256=thumbnail_sha256
                or (None if ELSEWHERE in measured else model.image_records_[0].sha256),
                note=note,
                change=change,
                made_by=person.name,
                **numbers.columns(),
            )
            session.add(version)
            session.flush()
            put_in_force(session, version, numbers.point, why)
            if ELSEWHERE not in measured:
                session.add_all(_good_images(version, model))
                _note_pixels(session, model)
            inspector.current_id = version.id
            note_change(session, inspector_id, change, seen=seen, version=number)
            if also is not None:
                also(session, version)
            session.flush()
            workspace.place_folder(draft, folder)
    return version


def _note_pixels(session: Session, model: Detector) -> None:
    """Store the hashes of the good images' pixels, by which exact copies in other files are found."""
    for record in model.image_records_:
        image = session.get(Image, record.sha256)
        if image is not None and record.pixel_sha256:
            image.describe(record.to_dict())


def _good_images(version: InspectorVersion, model: Detector) -> list[InspectorImage]:
    taught = set(model.taught_)
    return [
        InspectorImage(
            version_id=version.id,
            position=position,
            sha256=record.sha256,
            name=record.name,
            taught=record.sha256 in taught,
        )
        for position, record in enumerate(model.image_records_)
    ]
