"""Taking good images out of an inspector, from any page: the threshold follows by its own rule."""

from collections.abc import Sequence

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.versions import Removal, keep_removal, without_good
from workbench.storage.tables import InspectorVersion
from workbench.tuning.removal_preview import lost_rejections, lost_words
from workbench.tuning.teaching_preview import RECHECK
from workbench.widgets.shared import notice, progress, revision_guard, session, verdict_changes, wording

SHOWN = "shown"  # the image that is looked at on Evaluate, in the address


def remove(version: InspectorVersion, hashes: Sequence[str]) -> None:
    """Take images out of the bank; where known defects would lose their rejection, a person agrees first."""
    here, seen = session.workspace(), revision_guard.revision_of(version.inspector_id)
    words = {RECHECK: "Scoring the known defects"}
    with (
        session.plain_errors(),
        progress.bar(
            "Taking the images out of the bank",
            lambda stage: words.get(stage, "Taking the images out of the bank"),
        ) as move,
    ):
        removal = without_good(here, version, hashes, move)
        lost = lost_rejections(here, removal, move)
        notice.confirmed(
            "Remove these images?",
            [lost_words(lost)] if lost else [],
            "Remove them",
            "Leave them in",
            lambda: _keep(removal, seen),
            verdict_changes.cards_html(lost),
        )


def _keep(removal: Removal, seen: int | None) -> None:
    version, removed = removal.version, len(removal.names)
    with revision_guard.change(version.inspector_id):
        after = keep_removal(session.workspace(), removal, seen=seen)
        session.forget("threshold", "review", SHOWN)
        before_point, after_point = (
            OperatingPoint.from_dict(one.operating_point) for one in (version, after)
        )
        notice.leave(
            after,
            f"{wording.counted(removed, 'image')} removed: the bank went from "
            f"{wording.count(version.patches)} to {wording.counted(after.patches, 'patch', 'patches')}, the "
            f"threshold from {wording.score(before_point.reject)} to {wording.score(after_point.reject)} "
            f"({wording.rule(after_point)}).",
        )
