"""Scores a labelled set once and measures everything from those scores and maps, one map in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from patchcore.detector import PatchCore
from patchcore.errors import DataError, ImageError, NoImagesError
from patchcore.fitting import Source
from patchcore.metrics import ImageMetrics, PixelMetrics, image_metrics, image_metrics_by_type
from patchcore.mvtec_layout import LabelledImage, marked


class Labelled(Protocol):
    """An image with what is known of it; `mvtec_layout.LabelledImage` is one."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    @property
    def source(self) -> Source:
        """What it is read from."""

    @property
    def defect_type(self) -> str | None:
        """Name of the defect, "good" for a good part, None where nobody said."""

    @property
    def is_defect(self) -> bool:
        """Whether the part is defective."""

    def mask(self) -> NDArray[np.bool_] | None:
        """[H, W] bool, true where the defect is; None where nobody marked it."""


@dataclass(frozen=True)
class ScoredImage:
    """One labelled image with its score and the verdict of the operating point in force, if any."""

    image: Labelled
    score: float
    verdict: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "path": self.image.name,
            "type": self.image.defect_type,
            "score": self.score,
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Evaluation:
    """What a labelled set says of a model.

    Attributes
    ----------
    scored
        Every image that could be scored.
    image, image_by_type
        Image-level metrics, overall and each defect type beside all good images.
    pixels
        Pixel-level metrics, fed with every good image and every defect that has a mask.
    problems
        What was left out or could not be counted, a sentence each.
    """

    scored: list[ScoredImage]
    image: ImageMetrics
    image_by_type: dict[str, ImageMetrics]
    pixels: PixelMetrics
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for machines."""
        pixel_types = {name: result.to_dict() for name, result in self.pixels.by_type().items()}
        types = {
            name: {"image": metrics.to_dict(), "pixel": pixel_types.get(name)}
            for name, metrics in self.image_by_type.items()
        }
        return {
            "image": self.image.to_dict(),
            "pixel": self.pixels.result().to_dict(),
            "types": types,
            "verdicts": self.verdicts(),
            "problems": self.problems,
            "images": [scored.to_dict() for scored in self.scored],
        }

    def verdicts(self) -> dict[str, int] | None:
        """Count false rejects and escapes at the operating point; None if none is in force."""
        if any(scored.verdict is None for scored in self.scored):
            return None
        good = [s.verdict for s in self.scored if not s.image.is_defect]
        defects = [s.verdict for s in self.scored if s.image.is_defect]
        return {
            "good": len(good),
            "false_rejects": good.count("reject"),
            "defects": len(defects),
            "escapes": defects.count("accept"),
            "review": good.count("review") + defects.count("review"),
        }


def evaluate(
    model: PatchCore,
    images: Sequence[Labelled],
    progress: Callable[[int, int], None] | None = None,
    max_fpr: float = 0.30,
) -> Evaluation:
    """Score a labelled set and measure.

    Parameters
    ----------
    model
        A fitted model.
    images
        From :func:`patchcore.mvtec_layout.read_layout` or :func:`patchcore.label_table.read_labels`, each with a label.
        One that built the bank is scored without its own rows.
    progress
        Called with (done, total).
    max_fpr
        False-positive rate to which AUPRO is integrated.

    Raises
    ------
    NoImagesError
        If none of the images could be scored.
    """
    scored: list[ScoredImage] = []
    problems: list[str] = []
    pixels = PixelMetrics(max_fpr)
    grey: list[str] = []
    point = model.operating_point_
    if point is not None and point.stale:
        problems.append(f"No image was judged, because the threshold is out of date: {point.stale}")
        point = None
    for done, image in enumerate(images, start=1):
        if image.defect_type is None:
            problems.append(f"Left out {image.name}: it has no label.")
            continue
        try:
            result = model.score(image.source, leave_out=True)
        except ImageError as error:
            problems.append(f"Left out {image.name}: {error.reason}")
            continue
        except DataError as error:
            problems.append(f"Left out {error}")
            continue
        verdict = point.judge(result.score, point.regions(result.map)) if point else None
        scored.append(ScoredImage(image, result.score, verdict))
        try:
            if _count_pixels(pixels, image, result.map):
                grey.append(image.name)
        except (ImageError, DataError) as error:
            problems.append(f"{image.name}: its mask was not counted. {error}")
        if progress:
            progress(done, len(images))
    if grey:
        problems.append(grey_masks(grey))
    if not scored:
        raise NoImagesError("None of the images could be scored. " + " ".join(problems[:3]))
    scores = [s.score for s in scored]
    types = [s.image.defect_type for s in scored]
    overall = image_metrics(scores, [s.image.is_defect for s in scored])
    return Evaluation(scored, overall, image_metrics_by_type(scores, types), pixels, problems)


def read_mask(image: Labelled) -> tuple[NDArray[np.bool_] | None, bool]:
    """Read where the defect is, None where nobody marked it; also tell whether the mask has greys.

    Raises
    ------
    ImageError
        The mask cannot be read.
    DataError
        The mask marks nothing.
    """
    grey = False
    if isinstance(image, LabelledImage):
        values = image.mask_values()
        mask, grey = (None, False) if values is None else marked(values)
    else:
        mask = image.mask()
    if mask is not None and not mask.any():
        raise DataError(
            "It marks nothing, though the image is labelled as a defect; mark the defect in white."
        )
    return mask, grey


def grey_masks(names: Sequence[str]) -> str:
    """Say that masks had grey values and how they were read."""
    which = "1 mask has" if len(names) == 1 else f"{len(names)} masks have"
    return (
        f"{which} grey values (first that of {names[0]}); what is brighter than mid-grey was taken as marked."
    )


def _count_pixels(pixels: PixelMetrics, image: Labelled, anomaly_map: NDArray[np.float32]) -> bool:
    """Feed one map and tell whether its mask has greys; a defect without a mask says nothing about pixels."""
    if not image.is_defect:
        pixels.add(anomaly_map)
        return False
    mask, grey = read_mask(image)
    if mask is not None:
        pixels.add(anomaly_map, mask, defect_type=image.defect_type or "defect")
    return grey
