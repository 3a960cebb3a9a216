"""The check of the whole picture, learned from the good images: measures, typical patches, and their bounds.

Every bound follows from stored values of each good image, so that images can be added and removed afterwards. A good
image is judged by what the others teach: typical patches of its own and its own distances take no part in its value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from patchcore.plausibility.bounds import Margin, bounds
from patchcore.plausibility.doubt import Doubt
from patchcore.plausibility.measures import MEASURES
from patchcore.plausibility.typical_patches import TypicalPatches

if TYPE_CHECKING:
    from patchcore.images.geometry import Box, Placement

# On the scale of multiples of the usual distance; good images lie near 1.
CONTENT_MARGIN = Margin(least=0.03, few=1.2, most=0.8)
LAYOUT_MARGIN = Margin(least=0.05, few=1.2, most=0.8)
LEAST_DISTANCE = 0.01  # of the spread of the typical patches: below it, good images are copies of one another
WORSE = 1.5  # excess of the worst ninth of a picture over the median ninth's, from which its place is named
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


@dataclass(frozen=True, eq=False)
class PictureCheck:
    """What the good images teach about a whole picture.

    Attributes
    ----------
    patches
        Typical patches of the good images.
    images
        [n] int32: numbers of the good images that the bounds come from.
    measures
        [n, 5] float64: `measures.measure` of each.
    distances
        [n, K] float32: distances of the typical patches to each image's patches; infinite where an image shows
        nothing at a patch's place.
    """

    patches: TypicalPatches
    images: NDArray[np.int32]
    measures: NDArray[np.float64]
    distances: NDArray[np.float32]

    def doubts(
        self,
        measures: NDArray[np.float64],
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
        placement: Placement,
    ) -> tuple[Doubt, ...]:
        """Return the reasons why a picture may not show such a part, at most one of each kind; none for a good one.

        Parameters
        ----------
        measures
            [5] from `measures.measure`.
        features, inspected
            The picture's patches, as for `TypicalPatches.distances`.
        placement
            The way back to the picture's own pixels.
        """
        return self.doubts_by(measures, self.patches.distances(features, inspected), placement)

    def doubts_by(
        self, measures: NDArray[np.float64], distances: NDArray[np.float32], placement: Placement
    ) -> tuple[Doubt, ...]:
        """Return the doubts as `doubts` does, from the distances [K] of the typical patches to the picture's."""
        found = [self._measured(number, float(value)) for number, value in enumerate(measures)]
        multiples = self._multiples(distances, self._usual)
        content, layout = self._content(multiples), self._layout(multiples, placement)
        if content and layout:  # one fault: it is missing, and there
            content = replace(content, sentence=layout.sentence.replace(" or elsewhere", ""), box=layout.box)
        return tuple(doubt for doubt in (*found, content or layout) if doubt)

    def with_image(
        self,
        number: int,
        measures: NDArray[np.float64],
        features: NDArray[np.float32],
        inspected: NDArray[np.bool_],
    ) -> PictureCheck:
        """Return the check with a further good image, which widens the bounds; arguments as for `doubts`."""
        distances = self.patches.distances(features, inspected)
        return replace(
            self,
            images=np.append(self.images, np.int32(number)),
            measures=np.vstack([self.measures, measures]),
            distances=np.vstack([self.distances, distances]),
        )

    def without_images(self, gone: set[int], numbers: NDArray[np.int64]) -> PictureCheck | None:
        """Return the check without some good images, the others renumbered; None where no image with values is left.

        Parameters
        ----------
        gone
            Numbers of the images.
        numbers
            New number of every image, by its old number.
        """
        stay = ~np.isin(self.images, list(gone))
        typical = ~np.isin(self.patches.images, list(gone))
        if not stay.any():
            return None
        patches = self.patches.rows(typical)
        return PictureCheck(
            replace(patches, images=numbers[patches.images].astype(np.int32)),
            numbers[self.images[stay]].astype(np.int32),
            self.measures[stay],
            self.distances[stay][:, typical],
        )

    @cached_property
    def measure_bounds(self) -> list[tuple[float, float]]:
        """Lowest and highest allowed value of each measure."""
        found = []
        for number, measure in enumerate(MEASURES):
            low, high = bounds(measure.scale(self.measures[:, number]), measure.margin)
            found.append((float(measure.unscaled(np.array(low))), float(measure.unscaled(np.array(high)))))
        return found

    @cached_property
    def content_values(self) -> NDArray[np.float64]:
        """[m] value of each good image by the others' patches: the mean multiple over patches looked for anywhere."""
        return self._values_by_others(~self.patches.placed)

    @cached_property
    def layout_values(self) -> NDArray[np.float64]:
        """[m] value of each good image by the others' patches: the mean multiple over patches looked for in place."""
        return self._values_by_others(self.patches.placed)

    def _measured(self, number: int, value: float) -> Doubt | None:
        measure, (low, high) = MEASURES[number], self.measure_bounds[number]
        if low <= value <= high:
            return None
        good = self.measures[:, number]
        sentence = measure.sentence(value, low, float(good.min()), float(good.max()))
        return Doubt(measure.kind, sentence, value, low, high)

    def _content(self, multiples: NDArray[np.float64]) -> Doubt | None:
        value, good = _mean(multiples[~self.patches.placed]), self.content_values
        high = _highest(good, CONTENT_MARGIN, len(self.images))
        if not value > high:
            return None
        sentence = f"Much of what good images show is missing: {_times(value, good)}"
        return Doubt("content", sentence, value, None, high)

    def _layout(self, multiples: NDArray[np.float64], placement: Placement) -> Doubt | None:
        placed, good = self.patches.placed, self.layout_values
        value, high = _mean(multiples[placed]), _highest(good, LAYOUT_MARGIN, len(self.images))
        if not value > high or 2 * np.isfinite(multiples[placed]).sum() < placed.sum():
            return None
        area, box = self._worst_area(multiples[placed], placement)
        sentence = f"What good images show{area} is missing or elsewhere: {_times(value, good)}"
        return Doubt("layout", sentence, value, None, high, box)

    def _worst_area(self, multiples: NDArray[np.float64], placement: Placement) -> tuple[str, Box | None]:
        """Name the worst ninth of the picture, with its box; nothing where most ninths are nearly as bad."""
        rows, cols = self.patches.grid
        row, col = np.divmod(self.patches.cells[self.patches.placed], cols)
        area = row * 3 // rows * 3 + col * 3 // cols
        means = np.array([_mean(multiples[area == number]) for number in range(9)])
        if np.nanmax(means) - 1 < WORSE * (np.nanmedian(means) - 1):
            return "", None
        worst = int(np.nanargmax(means))
        down, right = divmod(worst, 3)
        name = "middle" if worst == 4 else f"{ROWS[down]} {COLUMNS[right]}"
        far = (area == worst) & np.isfinite(multiples) & (multiples >= (1 + means[worst]) / 2)
        high_side, wide_side = placement.input_size / rows, placement.input_size / cols
        box = placement.box_to_original(
            (
                (col[far].min() - 1) * wide_side,
                (row[far].min() - 1) * high_side,
                (col[far].max() + 2) * wide_side,
                (row[far].max() + 2) * high_side,
            )
        )
        return f" at the {name}", box

    @cached_property
    def _others(self) -> NDArray[np.float64]:
        """[n, K] distances of typical patches to images that they do not come from; NaN for all others."""
        own = self.images[:, None] == self.patches.images
        return np.where(own | np.isinf(self.distances), np.nan, self.distances.astype(np.float64))

    @cached_property
    def _usual(self) -> NDArray[np.float64]:
        """[K] usual distance of each typical patch: its mean over the good images; NaN where no image has one."""
        count = (~np.isnan(self._others)).sum(0)
        return np.where(count, np.nansum(self._others, 0) / np.maximum(count, 1), np.nan)

    @cached_property
    def _least(self) -> float:
        """The smallest usual distance that is divided by."""
        features = self.patches.features.astype(np.float64)
        spread = np.sqrt(((features - features.mean(0)) ** 2).sum(1).mean()) if len(features) else 0.0
        return max(LEAST_DISTANCE * float(spread), 1e-6)

    def _multiples(self, distances: NDArray[np.floating], usual: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(distances / np.maximum(usual, self._least), np.float64)

    def _values_by_others(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        others = self._others[:, chosen]
        known = ~np.isnan(others)
        left = known.sum(0) - known  # images that are left to tell the usual distance
        rest = np.nansum(others, 0) - np.where(known, others, 0)
        usual = np.where(left, rest / np.maximum(left, 1), np.nan)
        ratios = others / np.maximum(usual, self._least)
        values = np.array([_mean(line) for line in ratios], np.float64)
        return np.asarray(values[~np.isnan(values)])


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of the finite values; NaN where there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _highest(good: NDArray[np.float64], margin: Margin, images: int) -> float:
    """Upper bound; around 1, the usual, where good images are too few to judge each other."""
    return bounds(good, margin)[1] if len(good) else 1 + margin.beyond(0, images)


def _times(value: float, good: NDArray[np.float64]) -> str:
    most = f", in good images at most {good.max():.2f} times" if len(good) else ""
    return f"the nearest match is {value:.2f} times as far off as usual{most}."
