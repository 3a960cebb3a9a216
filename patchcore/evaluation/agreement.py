"""Agreement of an inspector's regions with a mask, pixel by pixel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.evaluation.pixel_metrics import binary_mask
from patchcore.maps.regions import region_mask

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PixelAgreement:
    """Found and marked pixels of one image compared.

    Parameters
    ----------
    agreed
        Marked and found, bool [H, W].
    missed
        Marked but not found, bool [H, W].
    extra
        Found but not marked, bool [H, W].
    """

    agreed: Mask
    missed: Mask
    extra: Mask

    @property
    def counts(self) -> tuple[int, int, int]:
        """Pixels agreed, missed and extra."""
        return int(self.agreed.sum()), int(self.missed.sum()), int(self.extra.sum())

    @property
    def overlap(self) -> float | None:
        """Intersection over union of found and marked; None where there is neither."""
        agreed, missed, extra = self.counts
        either = agreed + missed + extra
        return agreed / either if either else None


def pixel_agreement(
    anomaly_map: NDArray[np.float32], mask: NDArray[Any] | None, threshold: float, min_area: int = 1
) -> PixelAgreement:
    """Compare the regions of a map with a mask.

    Parameters
    ----------
    anomaly_map
        Scores, float32 [H, W].
    mask
        Marked defect, [H, W], as `patchcore.labels.masks.marked` reads it. None for a good image: nothing is marked.
    threshold
        Pixels strictly above it are found.
    min_area
        Regions of fewer pixels do not count as found.

    Raises
    ------
    DataError
        Mask and map differ in size.
    """
    found = region_mask(anomaly_map, threshold, min_area)
    shape = (found.shape[0], found.shape[1])
    marked = np.zeros(shape, bool) if mask is None else binary_mask(mask, shape)
    return PixelAgreement(found & marked, marked & ~found, found & ~marked)
