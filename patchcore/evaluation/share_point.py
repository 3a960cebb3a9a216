"""A model's measures at one share of the patches, among which a user chooses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.evaluation.metrics import ImageMetrics
from patchcore.evaluation.pixel_metrics import PixelResult


@dataclass(frozen=True)
class GoodSummary:
    """Spread of the good images' leave-one-image-out scores; None where no image has one."""

    count: int
    lowest: float | None = None
    median: float | None = None
    percentile_95: float | None = None
    highest: float | None = None

    @classmethod
    def of(cls, scores: NDArray[np.float32]) -> GoodSummary:
        """Summarise scores [n], leaving out infinite ones: images with no other image in the bank."""
        finite = scores[np.isfinite(scores)].astype(np.float64)
        if not finite.size:
            return cls(0)
        return cls(finite.size, *(float(q) for q in np.quantile(finite, [0, 0.5, 0.95, 1])))


@dataclass(frozen=True)
class SharePoint:
    """A model's measures at one share of the patches.

    Attributes
    ----------
    share, rows, megabytes
        Size of the bank; the share is relative to all patches of the good images.
    in_use
        Whether the model is at this share now.
    cover_radius
        Largest distance from any patch of the calibrated good images to its nearest kept patch.
    threshold, reason
        Reject threshold by the operating point's own rule at this share; None with a reason where the rule cannot be
        applied.
    good_scores
        Leave-one-image-out scores of the good images that built the bank.
    image, pixels
        Metrics on the labelled set.
    milliseconds
        Time to score one image after reading: the median of features, search and map; None without images.
    """

    share: float
    rows: int
    megabytes: float
    in_use: bool
    cover_radius: float
    threshold: float | None
    reason: str
    good_scores: GoodSummary
    image: ImageMetrics
    pixels: PixelResult
    milliseconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return vars(self) | {
            "good_scores": asdict(self.good_scores),
            "image": self.image.to_dict(),
            "pixels": self.pixels.to_dict(),
        }
