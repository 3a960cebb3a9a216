"""The report's sentences: the verdicts, the threshold's promise, and the limits of the numbers."""

import math
from collections.abc import Sequence
from datetime import datetime

from patchcore.evaluation.measures import Evaluation
from patchcore.statistics.curves import Measure, Undefined
from patchcore.statistics.intervals import Interval, clopper_pearson, count, percent
from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.rules import is_good_only
from patchcore.thresholds.verdict_counts import VerdictCounts

LEAST_PER_TYPE = 20  # images of a defect type below which its own numbers are called rough


def headline(evaluation: Evaluation) -> str:
    """Say the outcome in a sentence: "Of 54 defects, 52 are rejected, 1 goes to review and 1 passes; of 60 …"."""
    counts = evaluation.counts
    if counts is None:
        good, defects = evaluation.image.n_good, evaluation.image.n_defect
        scored = f"{count(good, 'good part')} and {count(defects, 'defect')} were scored"
        return f"{scored}; no threshold is in force, so none is accepted or rejected."
    parts = [_defect_words(counts), _good_words(counts)]
    sentence = "; ".join(part for part in parts if part) + "."
    return sentence[0].upper() + sentence[1:]


def interval_words(interval: Interval | Undefined, kind: str = "number") -> str:
    """Say an interval: "0.975 to 0.995"."""
    if isinstance(interval, Undefined):
        return interval.reason
    if kind == "percent":
        return f"{percent(interval[0])} to {percent(interval[1])}"
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def measure_words(value: Measure | None) -> str:
    """Say a measure with three digits; "not defined" where it does not exist."""
    return "not defined" if value is None or isinstance(value, Undefined) else f"{value:.3f}"


def score_words(value: float | None, like: float) -> str:
    """Say a score with as many decimals as a score `like` this one needs for three digits."""
    if value is None or not math.isfinite(value):
        return "not defined"
    decimals = 2 - math.floor(math.log10(abs(like))) if like else 3
    return f"{value:,.{min(max(decimals, 0), 9)}f}"


def judge_words(point: OperatingPoint) -> str:
    """Say in plain words how an image gets its verdict."""
    picture = (
        " One that would be accepted goes to review where its whole picture differs from all good images."
        if point.picture_check
        else " The whole picture is not checked."
    )
    return _by_patches(point) + picture


def _by_patches(point: OperatingPoint) -> str:
    like = point.reject
    reject, accept = score_words(point.reject, like), score_words(point.accept, like)
    by_score = f"An image that scores above {reject} is rejected"
    if point.accept < point.reject:
        by_score += f", one from {accept} to {reject} goes to review, one up to {accept} is accepted."
    else:
        by_score += "; any other is accepted."
    if point.judge_by == "score" or point.pixel is None:
        return by_score
    pixel = score_words(point.pixel, like)
    region = f"a region of at least {count(point.min_area, 'pixel')} above {pixel}"
    if point.judge_by == "area":
        return f"An image is rejected when its map shows {region}; any other is accepted."
    return f"{by_score} A reject also needs {region}; where score and regions disagree, the image goes to review."


def moment_words(when: str) -> str:
    """Return an ISO 8601 time in words: "3 March 2026, 09:12"; any other text unchanged."""
    try:
        at = datetime.fromisoformat(when)
    except ValueError:
        return when
    return f"{at.day} {at:%B %Y, %H:%M}" + (
        " UTC" if at.utcoffset() is not None and not at.utcoffset() else ""
    )


def limits(evaluation: Evaluation, good_images: int | None) -> list[tuple[str, str]]:
    """Return the limits of the numbers in plain words, as (heading, sentences).

    Parameters
    ----------
    evaluation
        The evaluation.
    good_images
        Images that the inspector was built from, where known.
    """
    these = (
        f"these {count(good_images, 'good image')}" if good_images else "the good images it was built from"
    )
    found = [
        (
            "A score is a distance, not a size or a grade",
            f"It says how far the strangest place of a part is from anything in {these}. It has no physical unit, and "
            "cannot be compared with scores of another inspector, or of this one with another bank.",
        ),
        *_sample_limits(evaluation),
        *_threshold_limits(evaluation.point),
        (
            "Faults that look right piece by piece are not noticed",
            "Each small patch is compared with good patches from anywhere in the image. A part that is missing where "
            "the bare surface looks normal, a wrong number of holes, two parts swapped, or a size slightly out of "
            "tolerance can score like a good part.",
        ),
        (
            "Details below the network's input are not judged",
            "Images are shrunk to the size given under Settings, and only what lies inside the region of interest "
            "takes part. A defect that vanishes at that size, or lies outside, is not found.",
        ),
        (
            "A change of the scene changes the scores",
            "Lighting, focus, camera, lens, position, a new batch of material or a new supplier can raise the scores "
            "of good parts. After such a change the thresholds promise nothing until they are checked with new good "
            "images.",
        ),
    ]
    if not isinstance(evaluation.pixel.aupro, Undefined):
        found.append(
            (
                "Pixel numbers are as good as the masks",
                "They compare the maps with masks drawn by hand. A mask drawn generously or tightly moves them, though "
                "the inspector stays the same.",
            )
        )
    return found


def _sample_limits(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the uncertainty that so few images leave, in numbers; of labels that are no sample, that they are none."""
    image = evaluation.image
    if evaluation.basis.kind != "set":
        heading = (
            "The labels are no sample" if evaluation.basis.kind == "chosen" else "The rates are estimates"
        )
        return [(heading, evaluation.basis.sentence), *_type_limits(evaluation)]
    kinds = [
        (image.n_defect, "defect", "had escaped", "escape"),
        (image.n_good, "good part", "had been rejected", "be rejected"),
    ]
    said = " ".join(
        f"Even if none of {count(n, kind)} {had}, up to {percent(clopper_pearson(0, n)[1])} of further ones "
        f"could {event} (95 % confidence)."
        for n, kind, had, event in kinds
        if n
    )
    if image.auroc == 1.0:
        said += (
            " Good parts and defects do not overlap in this set, so the interval of the AUROC has no width; "
            "that is the smallness of the set, not certainty."
        )
    return [("So many images, so much certainty", said), *_type_limits(evaluation)]


def _type_limits(evaluation: Evaluation) -> list[tuple[str, str]]:
    if not evaluation.image.n_defect:
        return []
    few = [name for name, metrics in evaluation.image_by_type.items() if metrics.n_defect < LEAST_PER_TYPE]
    types = (
        "Only kinds of defect in this set were tried; others may score higher or lower."
        if not few
        else f"Only kinds of defect in this set were tried. {_of_types(few, evaluation)} fewer than {LEAST_PER_TYPE} "
        "images, so numbers for a single type are rough."
    )
    return [("Only these defects were tried", types)]


def _of_types(few: Sequence[str], evaluation: Evaluation) -> str:
    if len(few) == len(evaluation.image_by_type):
        return "Every type has" if len(few) > 1 else "Its only type has"
    return f"{len(few)} of {len(evaluation.image_by_type)} types have"


def _threshold_limits(point: OperatingPoint | None) -> list[tuple[str, str]]:
    if point is None or all(c is None or is_good_only(c) for c in (point.rule, point.accept_rule)):
        return []
    return [
        (
            "The threshold may have seen these images",
            "It was set by hand or from labelled images. Rates measured on the very images it was set from flatter it; "
            "a fresh set tells how it does.",
        )
    ]


def _defect_words(counts: VerdictCounts) -> str:
    if not counts.defects:
        return "no defect was there to be found"
    said = [f"{_how_many(counts.caught, counts.defects)} rejected"]
    if counts.defects_in_review:
        said.append(f"{counts.defects_in_review:,} {_goes(counts.defects_in_review)} to review")
    said.append(
        f"{f'{counts.escapes:,}' if counts.escapes else 'none'} pass{'es' if counts.escapes <= 1 else ''}"
    )
    return f"of {count(counts.defects, 'defect')}, {_listed(said)}"


def _good_words(counts: VerdictCounts) -> str:
    if not counts.good:
        return "no good part was there to be rejected"
    said = [f"{_how_many(counts.false_rejects, counts.good)} rejected"]
    if counts.good_in_review:
        said.append(f"{counts.good_in_review:,} {_goes(counts.good_in_review)} to review")
    return f"of {count(counts.good, 'good part')}, {_listed(said)}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _how_many(number: int, total: int) -> str:
    if number == total and total > 1:
        return "all are"
    return "none is" if number == 0 else f"{number:,} {'is' if number == 1 else 'are'}"


def _goes(number: int) -> str:
    return "goes" if number == 1 else "go"
