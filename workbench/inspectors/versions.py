"""Inspectors and their versions: listing, loading, the share of the bank in use, its images, and its thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from patchcore.errors import SettingsError
from patchcore.methods import REMOVE, SHARE
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.capabilities import require_capability
from workbench.inspectors.loaded_models import LOADED
from workbench.inspectors.names import LONGEST_NAME, require_name
from workbench.inspectors.point_history import put_in_force, require_version, store_point
from workbench.inspectors.recalibration import Progress, ShareNumbers, recalibrated
from workbench.inspectors.version_files import ELSEWHERE, next_number, store_version
from workbench.people.roles import Role, current, require
from workbench.storage.database import WorkspaceError
from workbench.storage.places import is_id, require_id
from workbench.storage.revisions import note_change
from workbench.storage.tables import Image, Inspector, InspectorImage, InspectorVersion
from workbench.storage.workspace import AT_ONCE, Workspace

if TYPE_CHECKING:
    from patchcore.detector import Detector


NOT_HERE = (
    "The good images of this inspector are not in this workspace: it was imported, and a file holds their patches, "
    "not the images. Do this in the workspace where it was built, and import it again; or build it here from its "
    "images."
)


def list_inspectors(workspace: Workspace) -> list[Inspector]:
    """Return the ready inspectors outside the bin, newest first, each with its `.current` version."""
    query = select(Inspector).where(Inspector.current_id.is_not(None), Inspector.deleted.is_(None))
    query = query.order_by(Inspector.created.desc())
    with workspace.database.read() as session:
        return list(session.scalars(query))


def find_inspector(workspace: Workspace, inspector_id: str) -> Inspector | None:
    """Return an inspector with its `.current` version, or None; an inspector in the bin has `.deleted`."""
    if not is_id(inspector_id):
        return None
    with workspace.database.read() as session:
        return session.get(Inspector, inspector_id)


def find_id(workspace: Workspace, named: str) -> str:
    """Return the id of an inspector, by its id or by its name.

    Raises
    ------
    WorkspaceError
        When no inspector or several have this name.
    """
    if find_inspector(workspace, named) is not None:
        return named
    ids = [inspector.id for inspector in list_inspectors(workspace) if inspector.name == named]
    if not ids:
        raise WorkspaceError(f"There is no inspector {named} in {workspace.root}.")
    if len(ids) > 1:
        raise WorkspaceError(
            f"{len(ids)} inspectors are called {named}. Name one by its id: {', '.join(ids)}."
        )
    return ids[0]


def list_versions(workspace: Workspace, inspector_id: str) -> list[InspectorVersion]:
    """Return the versions of an inspector outside the bin, newest first."""
    query = select(InspectorVersion).where(
        InspectorVersion.inspector_id == inspector_id, InspectorVersion.deleted.is_(None)
    )
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(InspectorVersion.number.desc())))


def get_version(workspace: Workspace, version_id: int) -> InspectorVersion:
    """Return one version.

    Raises
    ------
    WorkspaceError
        When the version does not exist.
    """
    with workspace.database.read() as session:
        return require_version(session, version_id)


def good_images(workspace: Workspace, version: InspectorVersion) -> list[InspectorImage]:
    """Return the good images of a version, in order.

    For an imported version only names and hashes are known (`has_good_images`).
    """
    if not has_good_images(version):
        return [
            InspectorImage(
                version_id=version.bank_id, position=position, sha256=sha256, name=name, taught=taught
            )
            for position, (sha256, name, taught) in enumerate(version.numbers[ELSEWHERE])
        ]
    query = select(InspectorImage).where(InspectorImage.version_id == version.bank_id)
    with workspace.database.read() as session:
        return list(session.scalars(query.order_by(InspectorImage.position)))


def bank_files(workspace: Workspace, version: InspectorVersion) -> set[str]:
    """Return the hashes of the files that show good images of a version, exact copies in other files included."""
    own = [image.sha256 for image in good_images(workspace, version)]
    found, pixels = set(own), Image.record["pixel_sha256"].as_string()
    with workspace.database.read() as session:
        for start in range(0, len(own), AT_ONCE):
            some = select(pixels).where(Image.sha256.in_(own[start : start + AT_ONCE]), pixels != "")
            found.update(session.scalars(select(Image.sha256).where(pixels.in_(some))))
    return found


def has_good_images(version: InspectorVersion) -> bool:
    """Whether the good images of a version are in the workspace; an imported version mostly lacks them."""
    return ELSEWHERE not in version.numbers


def load_model(workspace: Workspace, version: InspectorVersion) -> Detector:
    """Return the fitted model of a version, at its share; the last two models stay in memory."""
    path = workspace.model_path(version.inspector_id, version.path)
    return LOADED.at_share(path, version.settings["weights"], version.share)


def share_numbers(workspace: Workspace, version: InspectorVersion, share: float) -> ShareNumbers:
    """Return the figures of the bank at another share, with its threshold recalibrated; nothing is scored or stored.

    Where the threshold rests on images that must be scored again, `pending` says so, and `reslice` scores them.

    Raises
    ------
    SettingsError
        When the share is above the largest that was built, or the method keeps no coreset.
    """
    require_capability(version, SHARE)
    model = load_model(workspace, version).with_operating_point(None).with_coreset(share)
    return ShareNumbers.at_once(model, _point_of(version), _built_from(workspace, version))


def reslice(
    workspace: Workspace,
    version: InspectorVersion,
    share: float,
    note: str = "",
    progress: Progress | None = None,
    *,
    seen: int | None = None,
) -> InspectorVersion:
    """Put another share of the bank into use, with its threshold recalibrated in the same step.

    If a threshold rests on labelled images or on maps, these are scored again first; `progress` reports each.
    A new version is made, on the same bank on disk, so that the earlier version and its results stay. The returned
    version is the current one.

    Raises
    ------
    SettingsError
        As for `share_numbers`.
    ChangedMeanwhile
        The inspector was changed since it was `seen`, as `revisions.note_change` takes it.
    """
    require(Role.ENGINEER, "change the size of the bank")
    require_capability(version, SHARE)
    model = load_model(workspace, version).with_operating_point(None).with_coreset(share)
    if model.size.rows == version.patches:
        return get_version(workspace, version.id)
    numbers = ShareNumbers.of(
        model, recalibrated(workspace, _point_of(version), model, _built_from(workspace, version), progress)
    )
    with workspace.database.write() as session:
        row = _successor(session, require_version(session, version.id), note)
        for name, value in numbers.columns().items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        put_in_force(session, row, numbers.point, f"Set again for {numbers.share:.3%} of all patches.")
        inspector = note_change(
            session,
            row.inspector_id,
            "change bank size",
            seen=seen,
            version=row.number,
            share=numbers.share,
        )
        inspector.current_id = row.id
    return row


@dataclass(frozen=True, eq=False)
class Removal:
    """A bank without some good images, computed and not stored.

    Attributes
    ----------
    version
        The version that it was computed from.
    model, numbers
        The model without the images, and its figures with the thresholds set again.
    names
        The removed images.
    """

    version: InspectorVersion
    model: Detector
    numbers: ShareNumbers
    names: tuple[str, ...]


def without_good(
    workspace: Workspace,
    version: InspectorVersion,
    sha256s: Iterable[str],
    progress: Progress | None = None,
) -> Removal:
    """Compute a bank without some good images, by the provenance of its rows, with the threshold recalibrated.

    Raises
    ------
    SettingsError
        An image is not in the bank, fewer than two would remain, the good images are not in the workspace, or the
        method cannot give up single images.
    """
    from patchcore.amendment.removal import without_images  # late: PyTorch comes with it

    require(Role.ENGINEER, "remove good images from the bank")
    require_capability(version, REMOVE)
    if not has_good_images(version):
        raise SettingsError(NOT_HERE)
    gone, before = set(sha256s), good_images(workspace, version)
    rest = [image for image in before if image.sha256 not in gone]
    paths = workspace.image_paths(image.sha256 for image in rest)
    sources = [(image.name, paths[image.sha256]) for image in rest]
    whole = load_model(workspace, version).with_operating_point(None)
    model = without_images(whole, gone, sources, progress)
    built_from = {image.sha256 for image in before}
    point = recalibrated(workspace, _point_of(version), model, built_from, progress)
    names = tuple(image.name for image in before if image.sha256 in gone)
    return Removal(version, model, ShareNumbers.of(model, point), names)


def keep_removal(workspace: Workspace, removal: Removal, *, seen: int | None = None) -> InspectorVersion:
    """Store a removal as a new, current version; the old version stays, and `make_current` restores it.

    Raises
    ------
    ChangedMeanwhile
        The inspector was changed since it was `seen`.
    """
    require(Role.ENGINEER, "remove good images from the bank")
    version, names = removal.version, list(removal.names)
    return store_version(
        workspace,
        version.inspector_id,
        removal.model,
        removal.numbers,
        settings=version.settings,
        measured=version.numbers
        | {"job": None, "total_patches": removal.model.size.patches, "removed": names},
        seen=seen,
        note=f"Without {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}",
        why="Set again without the removed good images.",
        change="remove",
    )


def make_current(
    workspace: Workspace, inspector_id: str, version_id: int, *, seen: int | None = None
) -> InspectorVersion:
    """Put a version of an inspector into use.

    Raises
    ------
    WorkspaceError
        When the inspector does not have this version, or the version is in the bin.
    ChangedMeanwhile
        The inspector was changed since it was `seen`.
    """
    require(Role.ENGINEER, "put versions into use")
    require_id(inspector_id)
    with workspace.database.write() as session:
        version = require_version(session, version_id)
        if version.inspector_id != inspector_id:
            raise WorkspaceError(f"Version {version_id} belongs to another inspector.")
        if version.deleted is not None:
            raise WorkspaceError(f"Version {version.number} is in the bin. Restore it first.")
        inspector = note_change(
            session, inspector_id, "put version into use", seen=seen, version=version.number
        )
        inspector.current_id = version.id
    return version


def set_operating_point(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint, *, seen: int | None = None
) -> InspectorVersion:
    """Put thresholds in force for a version; see `workbench.inspectors.point_history.store_point`."""
    return store_point(workspace, version, point, point.note, seen=seen)


def rename(
    workspace: Workspace,
    inspector_id: str,
    name: str,
    product: str | None = None,
    *,
    seen: int | None = None,
) -> None:
    """Give an inspector another name, and another product unless `product` is None.

    Raises
    ------
    WorkspaceError
        The name is empty, too long, or another inspector's (`names.NameTaken`), or the inspector does not exist.
    ChangedMeanwhile
        The inspector was changed since it was `seen`.
    """
    require(Role.ENGINEER, "rename inspectors")
    require_id(inspector_id)
    if len(product or "") > LONGEST_NAME:
        raise WorkspaceError(f"A product has at most {LONGEST_NAME} characters.")
    with workspace.database.write() as session:
        require_name(session, name, besides=inspector_id)
        inspector = note_change(session, inspector_id, "rename", seen=seen, name=name.strip())
        inspector.name = name.strip()
        inspector.product = inspector.product if product is None else product.strip()


def _point_of(version: InspectorVersion) -> OperatingPoint:
    return OperatingPoint.from_dict(version.operating_point)


def _built_from(workspace: Workspace, version: InspectorVersion) -> set[str]:
    return {image.sha256 for image in good_images(workspace, version)}


def _successor(session: Session, version: InspectorVersion, note: str) -> InspectorVersion:
    """Return a new version on the bank and the good images of another, not yet added."""
    return InspectorVersion(
        inspector_id=version.inspector_id,
        number=next_number(session, version.inspector_id),
        base_id=version.bank_id,
        path=version.path,
        settings=version.settings,
        largest_share=version.largest_share,
        numbers=version.numbers,
        thumbnail_sha256=version.thumbnail_sha256,
        note=note,
        change="share",
        made_by=current().name,
    )
