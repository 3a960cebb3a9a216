"""Bounds from the good images: beyond the worst one, by a margin that is wider the fewer there are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Good images of which the worst may be exceeded by as much again; the worst of more is a bound itself.
ENOUGH = 20


@dataclass(frozen=True)
class Margin:
    """Distance of a bound from the worst good image.

    The distance is the worst image's own distance from the median image, since the next good images may be as much
    worse again. At least it is `least` plus `few` divided by the number of images: a few images, or images of one
    minute, vary less than the next day's. At most it is `most`: one odd good image must not switch the check off.

    Attributes
    ----------
    least, few, most
        On the scale of the measure.
    """

    least: float
    few: float
    most: float

    def beyond(self, excess: float, images: int) -> float:
        """Return the margin for `excess`, the distance of the worst image from the median, of so many images."""
        share = min(1.0, ENOUGH / images)
        return min(self.most, max(share * excess, self.least + self.few / images))


def bounds(values: NDArray[np.float64], margin: Margin) -> tuple[float, float]:
    """Return the bounds around the good images' values [n], n at least 1."""
    lowest, median, highest = (float(one(values)) for one in (np.min, np.median, np.max))
    return (
        lowest - margin.beyond(median - lowest, len(values)),
        highest + margin.beyond(highest - median, len(values)),
    )
