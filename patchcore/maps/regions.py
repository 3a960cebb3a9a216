"""Defect regions: an anomaly map, a pixel threshold and a minimum area give a list of places to look at."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError, SettingsError

HIGHEST_FIRST = 64  # times the area: so many of a map's highest values are looked at first
EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)  # pixels that touch at a corner belong together


@dataclass(frozen=True)
class Region:
    """One connected place whose every pixel lies above the pixel threshold.

    Parameters
    ----------
    area
        Pixels of the map.
    box
        (x0, y0, x1, y1), half-open, in pixels of the map.
    score
        Largest score inside.
    centroid
        (x, y), mean of the pixels' indices.
    """

    area: int
    box: tuple[int, int, int, int]
    score: float
    centroid: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Give plain numbers and lists, for JSON."""
        return asdict(self) | {"box": list(self.box), "centroid": list(self.centroid)}


def find_regions(anomaly_map: NDArray[np.float32], threshold: float, min_area: int = 1) -> list[Region]:
    """Find the regions above a threshold, worst first.

    Parameters
    ----------
    anomaly_map
        Scores, float32 [H, W]. NaN is never above.
    threshold
        Pixels strictly above it count; pixels touching by side or corner form one region.
    min_area
        Regions of fewer pixels are left out.
    """
    if anomaly_map.ndim != 2:
        raise DataError(f"An anomaly map has rows and columns; this one has the shape {anomaly_map.shape}.")
    scores = np.asarray(anomaly_map, dtype=np.float32)
    above = scores > np.float32(threshold)
    window = _window(above)
    if window is None:
        return []
    labels, count = _label(above[window])
    regions = _measure(labels, count, scores[window], (window[1].start, window[0].start), min_area)
    return sorted(regions, key=lambda region: (-region.score, -region.area, region.box))


def region_mask(anomaly_map: NDArray[np.float32], threshold: float, min_area: int = 1) -> NDArray[np.bool_]:
    """Mark the pixels of all regions that `find_regions` finds, bool [H, W]; arguments as there."""
    above = np.asarray(anomaly_map, np.float32) > np.float32(threshold)
    if min_area <= 1:
        return above
    labels, _ = _label(above)
    large = np.bincount(labels.reshape(-1)) >= min_area
    large[0] = False
    marked: NDArray[np.bool_] = large[labels]
    return marked


def clearing_threshold(anomaly_map: NDArray[np.float32], min_area: int = 1) -> float:
    """Give the lowest pixel threshold at which a map shows no region of a minimum area.

    For one pixel this is the map's largest score. Good images set a pixel threshold by this value: at or above it, the
    image shows no region. Minus infinity where the whole map is smaller than the area.

    Parameters
    ----------
    anomaly_map
        Scores, float32 [H, W].
    min_area
        Pixels that a region needs to count.
    """
    values = anomaly_map[np.isfinite(anomaly_map)]
    if values.size < max(1, min_area):
        return -math.inf
    if min_area <= 1:
        return float(values.max())
    # Regions of usual areas appear among the highest values; sorting all values of a large map takes a second.
    count = min(values.size, HIGHEST_FIRST * min_area)
    highest = np.sort(np.partition(values, values.size - count)[values.size - count :])
    if count < values.size and not _has_region(anomaly_map, highest[0], min_area):
        highest = np.sort(values)
    # As the threshold falls regions only grow, so the values can be bisected: `high` always clears the map, because
    # fewer pixels than the area lie above it.
    low, high = -1, highest.size - min_area
    step = min_area
    while high - low > 1:
        middle = max((low + high) // 2, high - step)
        if _has_region(anomaly_map, highest[middle], min_area):
            low = middle
        else:
            high, step = middle, 2 * step
    everything = low == -1 and not _has_region(anomaly_map, np.float32(-math.inf), min_area)
    return -math.inf if everything else float(highest[high])


def pixels_in_area(square_millimetres: float, millimetres_per_pixel: float) -> int:
    """Give the least number of pixels that covers an area, at least 1.

    Parameters
    ----------
    square_millimetres
        Area on the part.
    millimetres_per_pixel
        Side of one pixel on the part.
    """
    if not (millimetres_per_pixel > 0 and math.isfinite(millimetres_per_pixel)):
        raise SettingsError(
            f"The scale must be a number of mm per pixel above 0, not {millimetres_per_pixel}."
        )
    if not (square_millimetres >= 0 and math.isfinite(square_millimetres)):
        raise SettingsError(
            f"The smallest defect must be an area in mm², 0 or more, not {square_millimetres}."
        )
    return max(1, math.ceil(square_millimetres / millimetres_per_pixel**2 - 1e-9))


def _window(above: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the bounding box of the set pixels, so that the mostly empty rest of a map costs nothing more."""
    rows = np.flatnonzero(above.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(above.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _has_region(scores: NDArray[np.float32], threshold: np.float32, min_area: int) -> bool:
    """Whether a map has a region of a minimum area above a threshold."""
    above = scores > threshold
    window = _window(above)
    if window is None:
        return False
    labels, _ = _label(above[window])
    return bool(np.bincount(labels.ravel())[1:].max() >= min_area)


def _label(above: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the regions of a mask from one; SciPy comes late, so that no command waits for it before it has a map."""
    from scipy.ndimage import label

    labels, count = label(above, structure=EIGHT_CONNECTED)
    return labels, count


def _measure(
    labels: NDArray[np.int32],
    count: int,
    scores: NDArray[np.float32],
    corner: tuple[int, int],
    min_area: int,
) -> list[Region]:
    """Measure every label in one pass over the set pixels (bincount), not one pass per region."""
    from scipy.ndimage import find_objects

    ys, xs = np.nonzero(labels)
    owner = labels[ys, xs] - 1
    areas = np.bincount(owner, minlength=count)
    centre_x = np.bincount(owner, weights=xs, minlength=count) / areas + corner[0]
    centre_y = np.bincount(owner, weights=ys, minlength=count) / areas + corner[1]
    peaks = np.full(count, -np.inf, np.float32)
    np.maximum.at(peaks, owner, scores[ys, xs])
    found = find_objects(labels)
    return [
        Region(
            area=int(areas[k]),
            box=_box(found[k], corner),
            score=float(peaks[k]),
            centroid=(float(centre_x[k]), float(centre_y[k])),
        )
        for k in np.flatnonzero(areas >= min_area)
    ]


def _box(place: tuple[slice, slice], corner: tuple[int, int]) -> tuple[int, int, int, int]:
    rows, columns = place
    x, y = corner
    return columns.start + x, rows.start + y, columns.stop + x, rows.stop + y
