"""Restoring an earlier operating point, also on another bank if its rules can follow."""

from dataclasses import dataclass

from patchcore.errors import SettingsError
from patchcore.thresholds.decision import recalibrate
from patchcore.thresholds.operating_point import Evidence, OperatingPoint
from patchcore.thresholds.rules import BY_HAND
from workbench.inspectors.point_history import enforce
from workbench.inspectors.versions import good_images
from workbench.people.roles import Role, require
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import InspectorVersion, PointRecord
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import known_images, map_peaks, tested_images


@dataclass(frozen=True)
class Restorable:
    """An earlier point as it can be put in force now, with a note on where it comes from."""

    point: OperatingPoint
    note: str


def restore_point(
    workspace: Workspace, version: InspectorVersion, stored_id: int, *, seen: int | None = None
) -> InspectorVersion:
    """Put an earlier point in force again.

    A point of another bank is set again by its own rules, from this version's stored scores; its statement and note
    say so.

    Raises
    ------
    SettingsError
        The point was set on another bank and cannot follow to this one; the message says why.
    WorkspaceError
        The point does not exist.
    ChangedMeanwhile
        The inspector was changed since it was `seen`.
    """
    require(Role.ENGINEER, "change thresholds")
    again = point_to_restore(workspace, version, stored_id)
    return enforce(workspace, version, again.point, again.note, action="restore threshold", seen=seen)


def point_to_restore(workspace: Workspace, version: InspectorVersion, stored_id: int) -> Restorable:
    """Return the point that `restore_point` would put in force, and its note; errors as there."""
    with workspace.database.read() as session:
        record = session.get(PointRecord, stored_id)
    if record is None or record.version.inspector_id != version.inspector_id:
        raise WorkspaceError(f"There is no earlier threshold {stored_id} of this inspector.")
    point, bank = OperatingPoint.from_dict(record.data), version.operating_point["bank_id"]
    when = f"{record.created:%Y-%m-%d %H:%M} UTC"
    if point.bank_id == bank:
        return Restorable(point, f"Restored from {when}. {record.note}".strip())
    by_hand = any(choice.name == BY_HAND for choice in point.choices)
    scores = Evidence() if by_hand else _evidence_anew(workspace, version, record, point)
    recalibrated = recalibrate(point, scores, bank)
    if recalibrated.stale:
        raise SettingsError(f"The threshold of {when} cannot be used with this bank. {recalibrated.stale}")
    note = (
        f"Restored from {when} and set again by its own rule, because the bank differs. {record.note}".strip()
    )
    return Restorable(recalibrated, note)


def _evidence_anew(
    workspace: Workspace, version: InspectorVersion, record: PointRecord, point: OperatingPoint
) -> Evidence:
    """Return the stored scores of another version for the images of a point's evidence.

    The present bank gives the good images; scores of all other images must be stored.
    """
    built_from = {image.sha256 for image in good_images(workspace, record.version)}
    bank = [one for one in known_images(workspace, version, None) if point.evidence.good.keys() & built_from]
    wanted = (point.evidence.good.keys() - built_from) | point.evidence.defect.keys()
    tested = {one.sha256: one for one in tested_images(workspace, version) if one.sha256 in wanted}
    if missing := len(wanted - tested.keys()):
        raise SettingsError(
            f"This threshold was set on another bank, and {missing} of the images it was set from have not been "
            "scored with this one. Open their set with this bank first."
        )
    good = [*bank, *(tested[sha256] for sha256 in sorted(point.evidence.good.keys() - built_from))]
    return Evidence(
        good={one.sha256: one.score for one in good},
        defect={sha256: tested[sha256].score for sha256 in point.evidence.defect},
        map_peaks={} if point.pixel_rule is None else map_peaks(good, point.min_area),
    )
