"""The good images judged by the check of the whole picture that the other good images teach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from patchcore.plausibility.doubt import Doubt
from patchcore.plausibility.picture_check import PictureCheck

if TYPE_CHECKING:
    from patchcore.images.geometry import Placement


def doubts_on_good(
    check: PictureCheck, placement: Callable[[int], Placement]
) -> dict[int, tuple[Doubt, ...]]:
    """Return the doubts on each good image by its number, as far as it has any.

    The image itself takes no part: neither in a bound, nor by a typical patch, nor in a usual distance. No feature is
    computed; the check holds what is needed.

    Parameters
    ----------
    placement
        Returns the place of a good image, by its number, in the network's input.
    """
    same = np.arange(1 + max(int(check.images.max()), int(check.patches.images.max(initial=0))))
    found = {}
    for row, number in enumerate(check.images.tolist()):
        rest = check.without_images({number}, same)
        if rest is None:
            continue
        distances = check.distances[row][check.patches.images != number]
        if doubts := rest.doubts_by(check.measures[row], distances, placement(number)):
            found[number] = doubts
    return found
