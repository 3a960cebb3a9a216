"""The consequences of thresholds for images that are known, before they are put in force: every way asks here."""

from collections.abc import Sequence

from patchcore.thresholds.consequences import JudgedTwice, grave_consequences
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspectors.versions import find_inspector, get_version
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known, known_images, tested_images, verdict_of


def consequences(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint, batch_id: int | None
) -> list[str]:
    """Return a sentence for each consequence of a point that asks for a second look.

    Parameters
    ----------
    version
        The version in use.
    batch_id
        The batch that counts beside the good images of the version; None for these alone.
    """
    return consequences_for(known_images(workspace, version, batch_id), version, point)


def consequences_for(known: Sequence[Known], version: InspectorVersion, point: OperatingPoint) -> list[str]:
    """Return the same for images that are read already."""
    stored = OperatingPoint.from_dict(version.operating_point)
    return _grave([(one, _verdict(one, stored)) for one in known], point)


def consequences_of_use(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint | None = None
) -> list[str]:
    """Return the same for a version that would be put into use, as judged on all images that it has scored.

    Parameters
    ----------
    version
        Any version of its inspector, also the one in use.
    point
        The thresholds that come into force with it; by default its own.
    """
    here = get_version(workspace, version.id)
    point = OperatingPoint.from_dict(here.operating_point) if point is None else point
    inspector = find_inspector(workspace, here.inspector_id)
    in_use = None if inspector is None else inspector.current
    before: dict[str, Verdict | None] = {}
    if in_use is not None:
        stored = OperatingPoint.from_dict(in_use.operating_point)
        before = {one.sha256: _verdict(one, stored) for one in _all(workspace, in_use)}
    return _grave([(one, before.get(one.sha256)) for one in _all(workspace, here)], point)


def _all(workspace: Workspace, version: InspectorVersion) -> list[Known]:
    """Return the good images of a version and all test images that it has scored, the newest score of each."""
    tested = {one.sha256: one for one in tested_images(workspace, version)}
    return [*known_images(workspace, version, None), *tested.values()]


def _verdict(one: Known, point: OperatingPoint) -> Verdict | None:
    """Judge an image; None where it cannot be judged, or its map would have to be measured first."""
    is_slow = one.stored_map is not None and not one.stored_map.is_known(point.min_area)
    if point.stale or (point.judge_by != "score" and is_slow):
        return None
    return verdict_of(one, point)


def _grave(known: Sequence[tuple[Known, Verdict | None]], point: OperatingPoint) -> list[str]:
    """Return the sentences for images with their verdicts before."""
    judged = [
        JudgedTwice(None if one.truth is None else one.is_defect, one.score, before, _verdict(one, point))
        for one, before in known
    ]
    return grave_consequences(judged, point.reject)
