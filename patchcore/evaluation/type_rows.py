"""A table of defect types: caught images of each, its separation, and its image that is missed first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchcore.evaluation.labelled_score import LabelledScore
from patchcore.evaluation.metrics import ImageMetrics
from patchcore.evaluation.pixel_metrics import PixelResult
from patchcore.statistics.curves import Measure, Undefined, measures_to_dict
from patchcore.thresholds.verdict_counts import count_verdicts


@dataclass(frozen=True)
class TypeRow:
    """One defect type in a table.

    Parameters
    ----------
    defect_type, count
        Its name, and the number of its images.
    caught, in_review, escaped
        Images rejected, sent to review, accepted; None without an operating point.
    auroc
        AUROC of its images beside all good ones.
    aupro
        AUPRO of its images with a mask, beside all good ones.
    worst_name, worst_score
        Its lowest-scoring image, which is missed first.
    """

    defect_type: str
    count: int
    caught: int | None
    in_review: int | None
    escaped: int | None
    auroc: Measure
    aupro: Measure
    worst_name: str
    worst_score: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; None beside a reason where undefined."""
        return vars(self) | measures_to_dict({"auroc": self.auroc, "aupro": self.aupro})


def type_rows(
    scored: Sequence[LabelledScore],
    image: Mapping[str, ImageMetrics],
    pixel: Mapping[str, PixelResult],
) -> list[TypeRow]:
    """Return a row for each defect type, by name.

    Parameters
    ----------
    scored
        All labelled images.
    image, pixel
        Metrics by defect type; a type may lack pixel metrics.
    """
    return [
        _row(kind, [item for item in scored if item.defect_type == kind], metrics.auroc, pixel.get(kind))
        for kind, metrics in sorted(image.items())
    ]


def _row(kind: str, items: list[LabelledScore], auroc: Measure, pixel: PixelResult | None) -> TypeRow:
    counts = count_verdicts((item.is_defect, item.verdict) for item in items)
    lowest = min(items, key=lambda item: item.score)
    no_mask = Undefined("No image of this type has a mask that could be counted.")
    return TypeRow(
        kind,
        len(items),
        counts.caught if counts else None,
        counts.defects_in_review if counts else None,
        counts.escapes if counts else None,
        auroc,
        pixel.aupro if pixel else no_mask,
        lowest.name,
        lowest.score,
    )
