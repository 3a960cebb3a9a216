"""The good images judged by the check of the whole picture that the other good images teach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from patchcore.plausibility.doubt import Doubt
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.plausibility.typical_patches import TypicalPatches

if TYPE_CHECKING:
    from patchcore.images.geometry import Placement


@dataclass(frozen=True, eq=False)
class _Measured(TypicalPatches):
    """Typical patches whose distances to one good image are stored already."""

    stored: NDArray[np.float32]

    def distances(self, features: NDArray[np.float32], inspected: NDArray[np.bool_]) -> NDArray[np.float32]:
        return self.stored


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
        others = check.patches.images != number
        patches = {part.name: getattr(rest.patches, part.name) for part in fields(TypicalPatches)}
        rest = replace(rest, patches=_Measured(**patches, stored=check.distances[row][others]))
        nothing = np.empty((0, 0), np.float32), np.empty((0, 0), bool)
        if doubts := rest.doubts(check.measures[row], *nothing, placement(number)):
            found[number] = doubts
    return found
