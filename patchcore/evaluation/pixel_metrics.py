"""Pixel AUROC, average precision and AUPRO over any number of maps, fed one by one in bounded memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from patchcore.errors import DataError, SettingsError
from patchcore.labels.masks import marked
from patchcore.maps.regions import EIGHT_CONNECTED
from patchcore.statistics.curves import Curve, Measure, Sweep, Undefined, measures_to_dict
from patchcore.statistics.histogram import Tally, common_shift, key_scores, merge, together

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PixelResult:
    """Separation of marked and other pixels by the anomaly maps.

    Parameters
    ----------
    auroc, average_precision
        Over all pixels together.
    aupro
        Mean share of each marked region found, over false-positive rates up to `max_fpr`, divided by it.
    max_fpr
        False-positive rate at which the integration of `aupro` ends.
    n_images, n_regions, n_defect_pixels, n_good_pixels
        Numbers of counted images, regions and pixels.
    bin_error
        Largest possible change of `auroc` by grouping near-equal scores; 0 when all scores were kept apart.
    """

    auroc: Measure
    average_precision: Measure
    aupro: Measure
    max_fpr: float
    n_images: int
    n_regions: int
    n_defect_pixels: int
    n_good_pixels: int
    bin_error: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; None beside a reason where undefined."""
        measures = {"auroc": self.auroc, "average_precision": self.average_precision, "aupro": self.aupro}
        counts = ("max_fpr", "n_images", "n_regions", "n_defect_pixels", "n_good_pixels", "bin_error")
        return measures_to_dict(measures) | {name: getattr(self, name) for name in counts}


@dataclass(frozen=True)
class PixelCurves:
    """Curves over all pixels, thinned for drawing."""

    roc: Curve
    precision_recall: Curve
    pro: Curve | None


class _Kind:
    """Counts over the images of one defect type, or over the good images."""

    def __init__(self, limit: int) -> None:
        self.good = Tally(limit)
        self.defect = Tally(limit)
        self.images = 0
        self.regions = 0


class PixelMetrics:
    """Collect maps and masks one by one; ask for results at any time.

    Parameters
    ----------
    max_fpr
        False-positive rate to which AUPRO is integrated; 0.30 in the literature.
    limit
        Distinct scores kept per defect type, for good and for marked pixels; 20 bytes each. Results are exact
        until there are more.
    """

    def __init__(self, max_fpr: float = 0.30, limit: int = 2**20) -> None:
        if not 0 < max_fpr <= 1:
            raise SettingsError(f"AUPRO is integrated to a rate above 0 and up to 1, not {max_fpr:g}.")
        self.max_fpr = max_fpr
        self.limit = limit
        self._good = _Kind(limit)
        self._types: dict[str, _Kind] = {}

    def add(
        self,
        anomaly_map: NDArray[np.float32],
        mask: NDArray[Any] | None = None,
        *,
        defect_type: str = "defect",
        valid: Mask | None = None,
    ) -> None:
        """Count one image.

        Parameters
        ----------
        anomaly_map
            Scores, float32 [H, W].
        mask
            Marked defect pixels, [H, W], as `patchcore.labels.masks.marked` reads them. None for a good image.
        defect_type
            Name of the defect.
        valid
            Pixels that count, bool [H, W]; None for all. Regions are always found in the whole mask.

        Raises
        ------
        DataError
            Mask and map differ in size, or the map holds a NaN; nothing was counted.
        """
        scores = np.asarray(anomaly_map, np.float32)
        counted = np.ones(scores.shape, bool) if valid is None else np.asarray(valid, bool)
        if scores.ndim != 2 or counted.shape != scores.shape:
            raise DataError(f"Map {scores.shape} and area of interest {counted.shape} differ in size.")
        if not np.isfinite(scores[counted]).all():
            raise DataError(
                "The anomaly map holds values that are not finite numbers; score the image again."
            )
        if mask is None:
            self._good.images += 1
            self._good.good.add(scores[counted])
            return
        marked = binary_mask(mask, (scores.shape[0], scores.shape[1]))
        kind = self._types.setdefault(defect_type, _Kind(self.limit))
        kind.images += 1
        kind.good.add(scores[counted & ~marked])
        place, weights, regions = _region_weights(marked & counted, marked)
        kind.defect.add(scores[place], weights)
        kind.regions += regions

    def result(self, defect_type: str | None = None) -> PixelResult:
        """Measure all images, or the good images and the images of one defect type."""
        kinds = self._kinds(defect_type)
        sweep, bin_error = self._sweep(kinds)
        if isinstance(sweep, Undefined):
            auroc: Measure = sweep
            precision: Measure = sweep
            aupro: Measure = sweep
        else:
            auroc, precision = sweep.auroc(), sweep.average_precision()
            aupro = sweep.aupro(self.max_fpr)
        return PixelResult(
            auroc,
            precision,
            aupro,
            self.max_fpr,
            n_images=sum(kind.images for kind in kinds),
            n_regions=sum(kind.regions for kind in kinds),
            n_defect_pixels=sum(kind.defect.total for kind in kinds),
            n_good_pixels=sum(kind.good.total for kind in kinds),
            bin_error=bin_error,
        )

    def by_type(self) -> dict[str, PixelResult]:
        """Measure each defect type beside the good images."""
        return {name: self.result(name) for name in sorted(self._types)}

    def curves(self, points: int = 1000) -> PixelCurves | Undefined:
        """Return ROC, precision-recall and PRO curves with about `points` points each."""
        sweep, _ = self._sweep([self._good, *self._types.values()])
        if isinstance(sweep, Undefined):
            return sweep
        pro = sweep.pro()
        return PixelCurves(
            sweep.roc().thinned(points),
            sweep.precision_recall().thinned(points),
            None if pro is None else pro.thinned(points),
        )

    def _kinds(self, defect_type: str | None) -> list[_Kind]:
        if defect_type is None:
            return [self._good, *self._types.values()]
        if defect_type not in self._types:
            raise DataError(f"No image of the type {defect_type!r} was counted.")
        return [self._good, self._types[defect_type]]

    def _sweep(self, kinds: list[_Kind]) -> tuple[Sweep | Undefined, float]:
        good, defect = [kind.good for kind in kinds], [kind.defect for kind in kinds]
        if not sum(tally.total for tally in defect):
            return Undefined("No defect pixel is marked; add masks that show where the defects are."), 0.0
        if not sum(tally.total for tally in good):
            return Undefined("Every pixel is marked as a defect; nothing is left to tell it from."), 0.0
        return _sweep_of(good, defect, sum(kind.regions for kind in kinds))


def binary_mask(mask: NDArray[Any], shape: tuple[int, int]) -> Mask:
    """Read a mask, [H, W], as true where a defect is marked (`patchcore.labels.masks.marked`).

    Raises
    ------
    DataError
        Its size is not `shape`, (H, W).
    """
    marks = np.asarray(mask)
    if marks.shape != shape:
        raise DataError(
            f"The mask is {_size(marks.shape)} but the image {_size(shape)}; a mask needs the image's size."
        )
    return marked(marks).pixels


def _sweep_of(good: Iterable[Tally], defect: Iterable[Tally], regions: int) -> tuple[Sweep, float]:
    good, defect = list(good), list(defect)
    shift = common_shift(good + defect)
    below, above = together(good, shift), together(defect, shift)
    keys = merge([below, above]).keys
    passed, caught, weight = (np.zeros(keys.size) for _ in range(3))
    passed[np.searchsorted(keys, below.keys)] = below.counts
    places = np.searchsorted(keys, above.keys)
    caught[places], weight[places] = above.counts, above.weights
    mixed = float(passed @ caught) / (2 * passed.sum() * caught.sum()) if shift else 0.0
    sweep = Sweep(
        key_scores(keys, shift)[::-1],
        np.cumsum(passed[::-1]),
        np.cumsum(caught[::-1]),
        np.cumsum(weight[::-1]) / regions,
    )
    return sweep, mixed


def _region_weights(counted: Mask, marked: Mask) -> tuple[Mask, NDArray[np.float64], int]:
    """Weigh every marked pixel by one over its region's size, so that each region sums to 1."""
    labels, _ = ndimage.label(marked, structure=EIGHT_CONNECTED)
    owner = labels[counted]
    sizes = np.bincount(owner)
    return counted, 1.0 / sizes[owner], int(np.count_nonzero(sizes))


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in reversed(shape)) if len(shape) == 2 else f"of shape {shape}"
