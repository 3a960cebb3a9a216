"""What removing good images would do to known defects, before it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from patchcore.statistics.intervals import count
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.recalibration import Progress
from workbench.inspectors.versions import Removal
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import tested_images, verdict_of
from workbench.tuning.teaching_preview import RECHECK, VerdictChange, judged_again


def lost_rejections(
    workspace: Workspace, removal: Removal, progress: Progress | None = None
) -> list[VerdictChange]:
    """Return the known defects that are not accepted now and would lose their rejection, or be accepted.

    Those that would be accepted come first. Defects that are accepted already are not scored again.
    """
    before, after = OperatingPoint.from_dict(removal.version.operating_point), removal.numbers.point
    if before.stale or after.stale:
        return []
    judged = [
        (known, verdict_of(known, before))
        for known in tested_images(workspace, removal.version)
        if known.is_defect
    ]
    waiting = [(known, verdict) for known, verdict in judged if verdict in ("review", "reject")]
    changes = []
    for done, (known, verdict) in enumerate(waiting, start=1):
        found = judged_again(workspace, known, removal.model, after)
        if found is not None and known.result is not None:
            changes.append(VerdictChange(known.result, verdict, found[1], found[0]))
        if progress:
            progress(RECHECK, done, len(waiting))
    return sorted((one for one in changes if one.loses_rejection or one.is_escape), key=lambda one: one.place)


def lost_words(changes: Sequence[VerdictChange]) -> str:
    """Return in a sentence what becomes of these defects; empty without any."""
    if not changes:
        return ""
    escapes = sum(change.is_escape for change in changes)
    review = len(changes) - escapes
    parts = [f"{count(escapes, 'known defect')} would be accepted"] if escapes else []
    parts += (
        [f"{count(review, 'known defect')} would go to review instead of being rejected"] if review else []
    )
    return f"{' and '.join(parts)}."
