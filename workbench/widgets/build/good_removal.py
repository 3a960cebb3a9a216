"""Taking good images out of an inspector, from any page: the threshold follows by its own rule."""

from collections.abc import Sequence

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.versions import remove_good
from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import notice, progress, revision_guard, session, wording

SHOWN = "shown"  # the image that is looked at on Evaluate, in the address


def remove(version: InspectorVersion, hashes: Sequence[str]) -> None:
    """Take images out of the bank, with a bar, and leave a sentence on what came of it."""
    with (
        progress.bar("Taking the images out of the bank") as move,
        revision_guard.change(version.inspector_id) as revision,
    ):
        after = remove_good(session.workspace(), version, hashes, move, seen=revision)
        session.forget("threshold", "review", SHOWN)
        before_point, after_point = (
            OperatingPoint.from_dict(one.operating_point) for one in (version, after)
        )
        notice.leave(
            after,
            f"{wording.counted(len(hashes), 'image')} removed: the bank went from "
            f"{wording.count(version.patches)} to {wording.counted(after.patches, 'patch', 'patches')}, the "
            f"threshold from {wording.score(before_point.reject)} to {wording.score(after_point.reject)} "
            f"({wording.rule(after_point.rule)}).",
        )
