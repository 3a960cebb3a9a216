"""The consequences of new thresholds for the images that a version has scored, before they are put in force."""

from collections.abc import Sequence

from patchcore.thresholds.consequences import JudgedTwice, grave_consequences
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import Known, known_images, verdict_of


def consequences(
    workspace: Workspace, version: InspectorVersion, point: OperatingPoint, batch_id: int | None
) -> list[str]:
    """Return a sentence for each consequence of a point that asks for a second look.

    Parameters
    ----------
    batch_id
        The batch that counts beside the good images of the version; None for these alone.
    """
    return consequences_for(known_images(workspace, version, batch_id), version, point)


def consequences_for(known: Sequence[Known], version: InspectorVersion, point: OperatingPoint) -> list[str]:
    """Return the same for images that are read already."""
    stored = OperatingPoint.from_dict(version.operating_point)

    def verdict(one: Known, by: OperatingPoint) -> Verdict | None:
        return None if by.stale else verdict_of(one, by)

    judged = [
        JudgedTwice(
            None if one.truth is None else one.is_defect, one.score, verdict(one, stored), verdict(one, point)
        )
        for one in known
    ]
    return grave_consequences(judged, point.reject)
