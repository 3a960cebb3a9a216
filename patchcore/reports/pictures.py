"""The report's pictures: the most telling images, drawn small and embedded."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from patchcore.evaluation.labelled_score import UNREADABLE, LabelledScore
from patchcore.evaluation.measures import Evaluation
from patchcore.evaluation.metrics import GOOD
from patchcore.evaluation.pixel_metrics import binary_mask
from patchcore.images.file_names import display_name
from patchcore.inspection import place_that_decided
from patchcore.maps.rendering import HeatScale, overlay, scaled_box
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from patchcore.thresholds.verdict_counts import error_of

SIDE = 380  # pixels of the longer side: sharp at twice the size it is shown, and about 25 kB
QUALITY = 84
MASK_RING = ((255, 255, 255), (16, 20, 24))  # bright inside dark, so that it reads on any part

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """One image in the report, beside its copy with heat.

    Parameters
    ----------
    name, defect_type, score, verdict
        As in `LabelledScore`.
    original, heat
        The two pictures as data URIs.
    marked
        Whether the marked defect is outlined in the original.
    """

    name: str
    defect_type: str
    score: float
    verdict: Verdict | None
    original: str
    heat: str
    marked: bool

    @property
    def error(self) -> str:
        """The verdict's error, in words; empty for a right verdict."""
        return error_of(self.defect_type != GOOD, self.verdict)


@dataclass
class Gallery:
    """A group of pictures on one subject.

    Parameters
    ----------
    title, words
        The subject, and a sentence on it.
    chosen
        The images.
    large
        Whether the pictures are drawn large.
    pictures
        The drawn pictures.
    """

    title: str
    words: str
    chosen: Sequence[LabelledScore]
    large: bool = False
    pictures: list[Picture] = field(default_factory=list)


def data_uri(pixels: Pixels, side: int = SIDE) -> str:
    """Embed a picture, uint8 [H, W, 3], as JPEG that fits a square of `side` pixels."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def telling_images(evaluation: Evaluation) -> list[Gallery]:
    """Choose the most telling images, at most 14; each is shown once.

    Without verdicts, the lowest-scoring defects and the highest-scoring good parts are chosen.
    """
    if evaluation.counts is None or evaluation.point is None:
        ordered = sorted(evaluation.scored, key=lambda item: item.score)
        defects = [item for item in ordered if item.is_defect][:6]
        good = [item for item in reversed(ordered) if not item.is_defect][:4]
        return [
            Gallery("Defects that score lowest", "They would be missed first.", defects, True),
            Gallery("Good parts that score highest", "They would be rejected first.", good, True),
        ]
    misses, false_rejects = evaluation.misses(), evaluation.false_rejects()
    taken = {id(item) for item in [*misses[:4], *false_rejects[:4]]}
    close = _borderline(evaluation, taken)
    taken |= {id(item) for item in close}
    return [
        Gallery(
            "Worst misses", _of(misses, "defect", "passes", "pass", "the lowest score"), misses[:4], True
        ),
        Gallery(
            "Worst false rejects",
            _of(false_rejects, "good part", "is rejected", "are rejected", "the highest score"),
            false_rejects[:4],
            True,
        ),
        Gallery("Borderline", "The scores nearest to the reject threshold, on either side.", close),
        Gallery(
            "Typical catches",
            "Of each kind of defect, a rejected part with a middling score.",
            _typical(evaluation, taken),
        ),
    ]


def heat_scale(evaluation: Evaluation) -> HeatScale:
    """Return the common scale of all pictures, from the score at which the operating point lets heat begin.

    Without an operating point the scale begins at the highest score of a good part.
    """
    if evaluation.point is not None:
        return HeatScale.anchored(evaluation.point.heat_from)
    good = [item.score for item in evaluation.scored if not item.is_defect]
    every = [item.score for item in evaluation.scored]
    return HeatScale.anchored(max(good) if good else min(every))


def draw_galleries(
    galleries: Iterable[Gallery], scale: HeatScale, point: OperatingPoint | None = None
) -> list[str]:
    """Draw the chosen images one at a time; return a sentence on each one that could not be drawn.

    `point` gave the verdicts; None where there are none.
    """
    problems = []
    for gallery in galleries:
        for item in gallery.chosen:
            try:
                gallery.pictures.append(_drawn(item, scale, point))
            except UNREADABLE as error:
                problems.append(f"{display_name(item.name)}: its picture is not shown. {error}")
    return problems


def _drawn(item: LabelledScore, scale: HeatScale, point: OperatingPoint | None) -> Picture:
    original = item.load_pixels()
    pixels = _small(original)
    height, width = pixels.shape[:2]
    scores = Image.fromarray(np.asarray(item.load_map(), np.float32))
    small_map = np.asarray(scores.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    mask = _small_mask(item, (width, height))
    box = None
    if point is not None:
        box = place_that_decided(item.worst_box, item.score, item.verdict, point.accept, point.judge_by)
    return Picture(
        item.name,
        item.defect_type,
        item.score,
        item.verdict,
        data_uri(pixels if mask is None else _ringed(pixels, mask)),
        data_uri(
            overlay(
                pixels,
                small_map,
                scale,
                mode="both",
                box=None if box is None else scaled_box(box, original.shape, pixels.shape),
            )
        ),
        mask is not None,
    )


def _small(pixels: Pixels) -> Pixels:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _small_mask(item: LabelledScore, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Shrink the mask so that no marked place is lost; None for a missing, unreadable or empty mask."""
    try:
        mask = item.load_mask() if item.is_defect else None
        if mask is None:
            return None
        marked = binary_mask(mask, mask.shape)
    except UNREADABLE:  # already reported among the uncounted images
        return None
    picture = Image.fromarray(marked.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)
    small = np.asarray(picture) > 0
    return small if small.any() else None


def _ringed(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """Draw a ring around the mask, two pixels away, so that it hides nothing of the defect."""
    ringed = pixels.copy()
    steps = [ndimage.binary_dilation(mask, np.ones((3, 3), bool), iterations=n) for n in (2, 4, 5)]
    ringed[steps[1] & ~steps[0]] = MASK_RING[0]
    ringed[steps[2] & ~steps[1]] = MASK_RING[1]
    return ringed


def _borderline(evaluation: Evaluation, taken: set[int]) -> list[LabelledScore]:
    """Return three images near the reject threshold, highest first; from both sides if possible."""
    assert evaluation.point is not None
    reject = evaluation.point.reject
    free = sorted(
        (item for item in evaluation.scored if id(item) not in taken),
        key=lambda item: abs(item.score - reject),
    )
    above = [item for item in free if item.score > reject][:2]
    below = [item for item in free if item.score <= reject][:2]
    nearest = sorted(above + below, key=lambda item: abs(item.score - reject))[:3]
    return sorted(nearest, key=lambda item: -item.score)


def _typical(evaluation: Evaluation, taken: set[int]) -> list[LabelledScore]:
    """Return the caught defect with the median score, for each of the three most frequent types."""
    caught: dict[str, list[LabelledScore]] = {}
    for item in evaluation.scored:
        if item.is_defect and item.verdict == "reject" and id(item) not in taken:
            caught.setdefault(item.defect_type, []).append(item)
    kinds = sorted(caught, key=lambda kind: -len(caught[kind]))[:3]
    return [sorted(caught[kind], key=lambda item: item.score)[len(caught[kind]) // 2] for kind in kinds]


def _of(items: Sequence[LabelledScore], noun: str, one: str, many: str, order: str) -> str:
    if not items:
        return f"No {noun} of this set {one}."
    if len(items) == 1:
        return f"1 {noun} {one}."
    return f"{len(items):,} {noun}s {many}; from {order}."
