"""What a threshold does to images that are known, where somebody should hear of it before it is put in force."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchcore.statistics.intervals import count
from patchcore.thresholds.operating_point import Verdict
from patchcore.thresholds.verdict_counts import error_of

FAR = 2.0  # times the highest score: a threshold beyond it looks like a slip of the hand
LEAST = 2  # images; one alone says nothing of all


@dataclass(frozen=True)
class JudgedTwice:
    """A scored image with its verdicts by the thresholds in force and by those that would replace them.

    Attributes
    ----------
    is_defect
        What its label says; None without one.
    score
        Score units.
    before, after
        The verdicts; None where an image cannot be judged. Without any verdict before, no sentence compares with it.
    """

    is_defect: bool | None
    score: float
    before: Verdict | None
    after: Verdict | None


def grave_consequences(images: Sequence[JudgedTwice], reject: float) -> list[str]:
    """Return a sentence for each consequence of a threshold that asks for a second look; none for a harmless one.

    They are: known defects would be accepted; no image at all would be rejected or reviewed, though some are now, or
    though the threshold lies far above every score; every good image, or every image, would be rejected.

    Parameters
    ----------
    images
        Images that have a score, with or without a label.
    reject
        The new reject threshold, in score units.
    """
    judged = [one for one in images if one.after is not None]
    found = (_escapes(judged), _rejects_nothing(judged, reject), _rejects_everything(judged))
    return [sentence for sentence in found if sentence]


def _escapes(judged: Sequence[JudgedTwice]) -> str:
    defects = [one for one in judged if one.is_defect]
    escapes = sum(error_of(one.is_defect, one.after) == "escape" for one in defects)
    if not escapes:
        return ""
    told = f"{escapes:,} of {count(len(defects), 'known defect')} would be accepted"
    if all(one.before is None for one in defects):
        return f"{told}."
    already = sum(error_of(one.is_defect, one.before) == "escape" for one in defects)
    return f"{told}; at present {already:,} {'is' if already == 1 else 'are'}."


def _rejects_nothing(judged: Sequence[JudgedTwice], reject: float) -> str:
    if not judged or any(one.after != "accept" for one in judged):
        return ""
    highest = max(one.score for one in judged)
    caught = sum(one.before in ("reject", "review") for one in judged)
    if not caught and reject <= FAR * highest:
        return ""
    told = (
        f"Nothing would be rejected: the highest of {count(len(judged), 'scored image')} scores {highest:.4g}, the "
        f"threshold is {reject:.4g}."
    )
    if all(one.before is None for one in judged):
        return told
    return f"{told} At present {caught:,} {'is' if caught == 1 else 'are'} not accepted."


def _rejects_everything(judged: Sequence[JudgedTwice]) -> str:
    good = [one for one in judged if one.is_defect is False]
    for images, noun in ((judged, "scored image"), (good, "good image")):
        if len(images) >= LEAST and all(one.after == "reject" for one in images):
            return f"Everything would be rejected: all {count(len(images), noun)} score above the threshold."
    return ""
