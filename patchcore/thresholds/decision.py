"""Decisions: rules make an operating point, and are applied again when the bank changes.

The rules themselves are in `from_good` (good images alone) and `from_labelled`; `rules` lists them by name.
"""

import math
from dataclasses import replace
from datetime import UTC, datetime

from patchcore.errors import DataError, SettingsError
from patchcore.thresholds.from_labelled import LabelledThreshold, outcome, review_words
from patchcore.thresholds.operating_point import Choice, Evidence, JudgeBy, OperatingPoint
from patchcore.thresholds.rules import BY_HAND, apply_rule, completed, is_good_only, score_array
from patchcore.thresholds.verdict_counts import VerdictCounts, counts_words

NO_SAMPLE = (
    "The labelled images are no plain sample of the parts: further defects may score lower, and further good parts "
    "higher."
)


def decide(
    rule: Choice,
    evidence: Evidence,
    bank_id: str,
    *,
    set_by: str,
    accept_rule: Choice | None = None,
    pixel_rule: Choice | None = None,
    min_area: int = 1,
    millimetres_per_pixel: float | None = None,
    judge_by: JudgeBy = "score",
    note: str = "",
    set_at: str | None = None,
    picture_check: bool = True,
    labels_chosen: bool = False,
) -> OperatingPoint:
    """Make an operating point by rules.

    Parameters
    ----------
    rule
        Sets the reject threshold.
    evidence
        Scores of good images and defects; with a `pixel_rule`, also `map_peaks`.
    bank_id
        The bank that gave the scores.
    set_by, note, set_at
        Who, why and when; None for the present time.
    accept_rule
        Sets the accept threshold, at most the reject threshold. None: no image is reviewed.
    pixel_rule
        Sets the pixel threshold from the good images' maps; a rule for good images alone, or by hand.
    min_area, millimetres_per_pixel, judge_by, picture_check, labels_chosen
        As in `OperatingPoint`.

    Raises
    ------
    SettingsError
        A rule cannot meet its parameters with these images; the message is the rule's own statement.
    """
    reject = accept = _value(rule, evidence)
    if accept_rule is not None:
        accept = min(reject, _value(accept_rule, evidence))
    point = OperatingPoint(
        accept=accept,
        reject=reject,
        rule=completed(rule),
        bank_id=bank_id,
        statement="",
        set_by=set_by,
        set_at=set_at or _now(),
        note=note,
        evidence=evidence,
        accept_rule=None if accept_rule is None else completed(accept_rule),
        pixel=None if pixel_rule is None else _pixel_value(pixel_rule, evidence),
        pixel_rule=None if pixel_rule is None else completed(pixel_rule),
        min_area=min_area,
        millimetres_per_pixel=millimetres_per_pixel,
        judge_by=judge_by,
        picture_check=picture_check,
        labels_chosen=labels_chosen,
    )
    return replace(point, statement=statement_of(point))


def statement_of(point: OperatingPoint, counts: VerdictCounts | None = None) -> str:
    """Return in words what the rule of a point promises, and how its thresholds judge the known images.

    Parameters
    ----------
    counts
        The verdicts on the labelled images, as a table beside the sentence counts them: with regions, with the check
        of the whole picture, and on labels that came later. None: the evidence of the point, by score.

    Raises
    ------
    SettingsError, DataError
        The rule cannot be applied to the point's own evidence; no rule of this program has made the point.
    """
    words = _judgement(point, counts)
    return f"{words} {NO_SAMPLE}" if point.labels_chosen else words


def _judgement(point: OperatingPoint, counts: VerdictCounts | None) -> str:
    found, evidence = apply_rule(point.rule, point.evidence), point.evidence
    good, defect = score_array(evidence.good), score_array(evidence.defect)
    by_labels = isinstance(found, LabelledThreshold)
    if isinstance(found, LabelledThreshold):
        meaning = found.meaning_alone if point.labels_chosen else found.meaning
    else:
        meaning = "" if point.labels_chosen else found.statement
    if counts is not None:
        return f"{meaning} {counts_words(counts)}".strip()
    if by_labels or point.labels_chosen:
        lead = "" if point.judge_by == "score" else "By score alone: "
        words = counts_words(outcome(good, defect, point.reject, point.accept))
        return f"{meaning} {lead}{words[0].lower() if lead else words[0]}{words[1:]}".strip()
    if point.accept < point.reject and evidence.good:
        return f"{meaning} {review_words(good, point.accept, point.reject)}"
    return meaning


def recalibrate(point: OperatingPoint, evidence: Evidence, bank_id: str) -> OperatingPoint:
    """Set an operating point again for another bank (another coreset share, images added or removed).

    Its own rules are applied to the new scores. Where that is impossible, the returned point is marked stale with the
    reason, and refuses to judge; old thresholds are never kept silently.

    Parameters
    ----------
    point
        The point in force until now.
    evidence
        Scores of the same images with the new bank. A rule that uses defects needs all of its earlier defects; a pixel
        rule needs the peaks of the good images' maps at the same minimum area.
    bank_id
        The new bank.
    """
    if any(choice.name == BY_HAND for choice in point.choices):
        return point.outdated("It was set by hand for another bank, whose scores differ.")
    if not all(map(is_good_only, point.choices)) and (lost := _unscored(point, evidence)):
        return point.outdated(lost)
    fresh = apply_again(point, evidence, bank_id, point.pixel_rule)
    return fresh if fresh.stale else replace(fresh, recalibrated_at=_now())


def apply_again(
    point: OperatingPoint, evidence: Evidence, bank_id: str, pixel_rule: Choice | None
) -> OperatingPoint:
    """Apply a point's rules to other scores and keep its other fields; marked stale with the reason where one fails."""
    try:
        fresh = decide(
            point.rule,
            evidence,
            bank_id,
            set_by=point.set_by,
            accept_rule=point.accept_rule,
            pixel_rule=pixel_rule,
            set_at=point.set_at,
            labels_chosen=point.labels_chosen,
        )
    except (SettingsError, DataError) as fault:
        return point.outdated(f"Its rule does not work with the new scores. {fault}")
    return replace(
        fresh,
        note=point.note,
        min_area=point.min_area,
        millimetres_per_pixel=point.millimetres_per_pixel,
        judge_by=point.judge_by,
        picture_check=point.picture_check,
    )


def _unscored(point: OperatingPoint, evidence: Evidence) -> str:
    """Return a sentence on defects missing from new scores, "" if none is: with fewer a rule would promise less."""
    known = point.evidence.defect.keys()
    missing = len(known - evidence.defect.keys())
    if not missing:
        return ""
    which = "The defects" if missing == len(known) else f"{missing} of the {len(known)} defects"
    return f"{which} it was set from have not been scored with the new bank."


def _value(choice: Choice, evidence: Evidence) -> float:
    found = apply_rule(choice, evidence)
    if found.value is None:
        raise SettingsError(found.statement)
    return found.value


def _pixel_value(choice: Choice, evidence: Evidence) -> float:
    """Apply a rule to the maps' peaks: one number an image, so that its promise is about images, as for scores."""
    if choice.name != BY_HAND and not is_good_only(choice):
        raise SettingsError("The pixel threshold is set from good images alone; choose a rule for those.")
    peaks = {image: peak for image, peak in evidence.map_peaks.items() if peak != -math.inf}
    return _value(choice, Evidence(good=peaks))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
