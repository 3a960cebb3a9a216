"""The evaluation of an inspector on a labelled set, measured from existing scores and maps.

`measure` goes through the maps once, one in memory at a time. `judge` applies other thresholds to the result
without reading a map again, unless images are judged by area. `evaluate` scores first, then measures.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import Detector
from patchcore.errors import NoImagesError
from patchcore.evaluation.judging import Judge
from patchcore.evaluation.labelled_image import Labelled, built_from
from patchcore.evaluation.labelled_score import UNREADABLE, LabelledScore
from patchcore.evaluation.metrics import ImageMetrics, image_curves, image_metrics, image_metrics_by_type
from patchcore.evaluation.pixel_metrics import PixelCurves, PixelMetrics, PixelResult
from patchcore.evaluation.set_scoring import inspect_each
from patchcore.evaluation.type_rows import TypeRow, type_rows
from patchcore.images.file_names import display_name
from patchcore.images.remarks import grouped
from patchcore.labels.masks import sentences
from patchcore.statistics.bootstrap import auroc_interval
from patchcore.statistics.curves import MarkedCurve, Place, Undefined
from patchcore.statistics.intervals import Interval
from patchcore.thresholds.label_basis import A_SET, CHOSEN, LabelBasis
from patchcore.thresholds.operating_point import OperatingPoint
from patchcore.thresholds.verdict_counts import VerdictCounts, count_verdicts

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


@dataclass(frozen=True)
class Evaluation:
    """Measures of an inspector on a labelled set.

    Attributes
    ----------
    scored
        Every image with a finite score, with its verdict where an operating point is in force.
    image, image_by_type
        Image-level metrics, overall and each defect type beside all good images.
    auroc_interval
        Interval of the image AUROC at 95 % confidence, by stratified bootstrap.
    pixel, pixel_by_type, pixel_curves
        Pixel-level metrics of every good image and every defect that has a mask.
    point
        The operating point that gave the verdicts.
    problems
        A sentence for each image left out or not counted.
    unjudged
        A sentence for each image without a verdict.
    basis
        How the labels came about.
    """

    scored: list[LabelledScore]
    image: ImageMetrics
    image_by_type: dict[str, ImageMetrics]
    auroc_interval: Interval | Undefined
    pixel: PixelResult
    pixel_by_type: dict[str, PixelResult]
    pixel_curves: PixelCurves | Undefined
    point: OperatingPoint | None = None
    problems: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    basis: LabelBasis = A_SET

    @property
    def counts(self) -> VerdictCounts | None:
        """Counts of the operating point's verdicts on these images; None without a point in force."""
        return count_verdicts(((item.is_defect, item.verdict) for item in self.scored), self.basis)

    @property
    def remarks(self) -> list[str]:
        """Remarks on the images, those alike in one sentence."""
        return grouped((item.name, item.remarks) for item in self.scored)

    def verdicts(self) -> dict[str, Any] | None:
        """Return `counts` as plain values."""
        return None if self.counts is None else self.counts.to_dict()

    def by_type(self) -> list[TypeRow]:
        """Return a row for each defect type."""
        return type_rows(self.scored, self.image_by_type, self.pixel_by_type)

    def misses(self) -> list[LabelledScore]:
        """List the escapes, lowest score first."""
        found = (item for item in self.scored if item.is_defect and item.verdict == "accept")
        return sorted(found, key=lambda item: item.score)

    def false_rejects(self) -> list[LabelledScore]:
        """List the good images that are rejected, highest score first."""
        found = (item for item in self.scored if not item.is_defect and item.verdict == "reject")
        return sorted(found, key=lambda item: -item.score)

    def curves(self) -> dict[str, MarkedCurve | Undefined]:
        """Return the curves "roc" and "precision_recall" of the images and "pro" of the pixels, each with a mark.

        The verdicts' rates are marked on the images' curves; the mark lies off the curve where images are judged by
        area. The pixel threshold is marked on "pro", as exactly as the thinned curve allows.
        """
        image = image_curves(_scores(self.scored), [item.is_defect for item in self.scored])
        if isinstance(image, Undefined):
            return {"roc": image, "precision_recall": image, "pro": self._pro()}
        roc, precision_recall = _image_places(self.counts)
        return {
            "roc": MarkedCurve(image["roc"], roc),
            "precision_recall": MarkedCurve(image["precision_recall"], precision_recall),
            "pro": self._pro(),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for machines."""
        interval = self.auroc_interval
        types = {
            name: {
                "image": metrics.to_dict(),
                "pixel": self.pixel_by_type[name].to_dict() if name in self.pixel_by_type else None,
            }
            for name, metrics in self.image_by_type.items()
        }
        return {
            "image": self.image.to_dict()
            | {"auroc_interval": None if isinstance(interval, Undefined) else list(interval)},
            "pixel": self.pixel.to_dict(),
            "types": types,
            "verdicts": self.verdicts(),
            "problems": self.problems + self.unjudged,
            "remarks": self.remarks,
            "images": [item.to_dict() for item in self.scored],
        }

    def _pro(self) -> MarkedCurve | Undefined:
        if isinstance(self.pixel_curves, Undefined):
            return self.pixel_curves
        if self.pixel_curves.pro is None:
            return Undefined("There are no defect regions.")
        pixel = self.point.pixel if self.point and not self.point.stale else None
        curve = self.pixel_curves.pro
        return MarkedCurve(curve, None if pixel is None else curve.at(pixel))


def measure(
    items: Sequence[LabelledScore],
    progress: Progress | None = None,
    *,
    point: OperatingPoint | None = None,
    with_maps: bool = True,
) -> Evaluation:
    """Measure from scores and maps; nothing is scored.

    Parameters
    ----------
    items
        The labelled set; earlier verdicts of items are ignored.
    progress
        Called with (done, total).
    point
        Gives the verdicts; None for no verdicts.
    with_maps
        Whether to read maps for pixel-level metrics; a set without masks has no such metrics.

    Raises
    ------
    NoImagesError
        If no item has a finite score.
    """
    return _measured(items, len(items), progress, point, with_maps)


def judge(evaluation: Evaluation, point: OperatingPoint | None) -> Evaluation:
    """Return the same evaluation with the verdicts of another operating point.

    Metrics that need no threshold stay as they are. Maps are read only where `point` judges by area.

    Parameters
    ----------
    evaluation
        From `measure`.
    point
        The thresholds; None for no verdicts. Stale thresholds judge no image, and `unjudged` says why.
    """
    judge_ = Judge(point)
    scored = [judge_.judged(item) for item in evaluation.scored]
    return replace(evaluation, scored=scored, point=point, unjudged=judge_.unjudged)


def on_basis(evaluation: Evaluation, basis: LabelBasis) -> Evaluation:
    """Return the same evaluation with the basis of its labels; only a labelled set gives the AUROC an interval."""
    interval = evaluation.auroc_interval
    if basis.kind == "sample":
        interval = Undefined("It counts each labelled image once, so it has no interval.")
    elif basis.kind == "chosen":
        interval = Undefined(CHOSEN)
    return replace(evaluation, basis=basis, auroc_interval=interval)


def evaluate(
    model: Detector,
    images: Sequence[Labelled],
    progress: Progress | None = None,
) -> Evaluation:
    """Score a labelled set and measure, with the model's own operating point.

    Parameters
    ----------
    model
        A fitted model.
    images
        From :func:`patchcore.evaluation.mvtec_layout.read_layout` or a table of labels, each with a label. An image
        that built the bank is scored without its own rows.
    progress
        Called with (done, total).

    Raises
    ------
    NoImagesError
        If none of the images could be scored.
    """
    left_out: list[str] = []
    notes: dict[str, list[str]] = {}
    twins: list[tuple[str, str]] = []
    items = inspect_each(model, images, left_out, notes, twins, progress)
    try:
        found = _measured(items, len(images), None, model.operating_point_, judged=True)
    except NoImagesError as error:
        raise NoImagesError("None of the images could be scored. " + " ".join(left_out[:3])) from error
    copies = [built_from(twins)] if twins else []
    return replace(found, problems=left_out + found.problems + sentences(notes) + copies)


def _measured(
    items: Iterable[LabelledScore],
    total: int,
    progress: Progress | None,
    point: OperatingPoint | None,
    with_maps: bool = True,
    *,
    judged: bool = False,
) -> Evaluation:
    """Measure; with `judged`, the items already have the verdicts of `point`."""
    pixels, judge_ = PixelMetrics(), Judge(point)
    scored: list[LabelledScore] = []
    problems: list[str] = []
    for done, item in enumerate(items, start=1):
        if math.isfinite(item.score):
            problem = _count_pixels(pixels, item) if with_maps else None
            problems += [problem] if problem else []
            scored.append(item if judged else judge_.judged(item))
        else:
            problems.append(
                f"{display_name(item.name)}: left out, its score is not a finite number; score the image again."
            )
        if progress:
            progress(done, total)
    if not scored:
        raise NoImagesError(" ".join(["There is no image with a score to measure from.", *problems[:3]]))
    return _summed(scored, pixels, point, problems, judge_.unjudged)


def _summed(
    scored: list[LabelledScore],
    pixels: PixelMetrics,
    point: OperatingPoint | None,
    problems: list[str],
    unjudged: list[str],
) -> Evaluation:
    scores = _scores(scored)
    return Evaluation(
        scored,
        image_metrics(scores, [item.is_defect for item in scored]),
        image_metrics_by_type(scores, [item.defect_type for item in scored]),
        _auroc_interval(scored),
        pixels.result(),
        pixels.by_type(),
        pixels.curves(),
        point,
        problems,
        unjudged,
    )


def _count_pixels(pixels: PixelMetrics, item: LabelledScore) -> str | None:
    """Count one map's pixels, and return a sentence on a failure; a defect without a mask has no pixels to count."""
    try:
        if not item.is_defect:
            pixels.add(item.load_map())
        elif (mask := item.load_mask()) is not None:
            pixels.add(item.load_map(), mask, defect_type=item.defect_type)
    except UNREADABLE as error:
        what = "mask" if item.is_defect else "map"
        return f"{display_name(item.name)}: its {what} was not counted. {error}"
    return None


def _auroc_interval(scored: Sequence[LabelledScore]) -> Interval | Undefined:
    good = [item.score for item in scored if not item.is_defect]
    defects = [item.score for item in scored if item.is_defect]
    if min(len(good), len(defects)) < 2:
        return Undefined("An interval needs at least two good images and two defects.")
    return auroc_interval(good, defects)


def _image_places(counts: VerdictCounts | None) -> tuple[Place | None, Place | None]:
    """Points of the verdicts' rates in ROC and precision-recall; None where a rate is undefined."""
    if counts is None or not counts.good or not counts.defects:
        return None, None
    recall = counts.caught / counts.defects
    rejected = counts.caught + counts.false_rejects
    precise = (recall, counts.caught / rejected) if rejected else None
    return (counts.false_rejects / counts.good, recall), precise


def _scores(scored: Iterable[LabelledScore]) -> NDArray[np.float64]:
    return np.array([item.score for item in scored], np.float64)
