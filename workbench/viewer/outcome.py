"""The effect of the thresholds in view on labelled parts: counts, rates with intervals, and changes."""

from collections.abc import Collection, Sequence
from typing import Literal

from patchcore.statistics.intervals import clopper_pearson
from patchcore.thresholds.operating_point import JudgeBy
from workbench.viewer.component import json_url, mount
from workbench.viewer.items import Dot, Thresholds

PARTS = {"good": ("good", "reference"), "defect": ("defect",)}


def outcome(
    dots: Sequence[Dot],
    thresholds: Thresholds,
    stored: Thresholds,
    *,
    others: Sequence[Dot] = (),
    key: str,
    link: str | None = None,
    pixel_threshold: float | None = None,
    stored_pixel: float | None = None,
    min_area: int = 1,
    judge_by: JudgeBy = "score",
    stored_judge_by: JudgeBy = "score",
    picture_check: bool = True,
    stored_picture_check: bool = True,
    counts_alone: Collection[Literal["good", "defect"]] = (),
) -> None:
    """Count false rejects and escapes as pictures of parts, following the thresholds of the same link while they move.

    Parameters
    ----------
    dots
        One per image; the kinds "good" and "reference" count as good parts, "defect" as defects.
    others
        Further scored images, with a label or without: they count in no rate, but their verdicts may change too.
    thresholds, key, link, pixel_threshold, min_area, judge_by, picture_check
        As for `workbench.viewer.gallery`.
    stored, stored_pixel, stored_judge_by, stored_picture_check
        The thresholds in use; verdicts that would change against them are listed.
    counts_alone
        Kinds of parts whose labels are no sample: they are counted, without a share and its interval.
    """
    known = {
        "items": [dot.to_dict() for dot in dots],
        "others": [dot.to_dict() for dot in others],
        "intervals": {
            kind: None if kind in counts_alone else intervals(sum(dot.kind in kinds for dot in dots))
            for kind, kinds in PARTS.items()
        },
    }
    data = {
        "link": link or key,
        "given": thresholds.for_browser(link or key, pixel_threshold, min_area, judge_by, picture_check),
        "itemsUrl": json_url(known, f"{key}:known"),
        "stored": {
            "reject": stored.reject,
            "review": stored.review,
            "pixel": stored_pixel,
            "judgeBy": stored_judge_by,
            "pictureCheck": stored_picture_check,
        },
    }
    mount("outcome", key, data)


def intervals(trials: int) -> list[tuple[float, float]]:
    """Return the interval of a rate for every number of events, for use in the browser."""
    return [clopper_pearson(events, trials) for events in range(trials + 1)] if trials else [(0.0, 1.0)]
