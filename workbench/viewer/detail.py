"""One image closely: original, map and overlay with linked zoom, the regions and the reason for the score."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.plausibility.doubt import Doubt
from patchcore.thresholds.operating_point import JudgeBy
from workbench.storage.pictures import (
    Pixels,
    as_bytes,
    encode_detail,
    encoded,
    fitted,
    original_size,
    pack,
)
from workbench.viewer.component import event_value, mount, picture_url
from workbench.viewer.crops import (
    CROP_SIDE,
    WHOLE_PIXELS,
    ImageSource,
    crop_urls,
    want_crops,
    wanted_crops,
)
from workbench.viewer.items import Loaded, RegionRule, Thresholds
from workbench.viewer.lineage import lineage_of

Box = tuple[int, int, int, int]
THUMBNAIL_SIDE = 130


@dataclass(frozen=True)
class Why:
    """The place that gave the score, and the nearest place in the good images.

    Parameters
    ----------
    test, neighbour
        Crops around the two places, encoded (`why_pair` makes them).
    test_box, neighbour_box
        The places within the crops, (x0, y0, x1, y1) in pixels of the crop.
    box
        The place in the image, pixels of the original.
    name
        The good image.
    distance
        Distance between the two places, score units.
    """

    test: bytes
    test_box: tuple[float, ...]
    neighbour: bytes
    neighbour_box: tuple[float, ...]
    box: Box
    name: str
    distance: float


def why_pair(
    pixels: Pixels, box: Box, neighbour_pixels: Pixels, neighbour_box: Box, *, name: str, distance: float
) -> Why:
    """Cut the surroundings of two places out of their images, boxes in pixels of each original."""
    test, test_box = _surroundings(pixels, box)
    neighbour, place = _surroundings(neighbour_pixels, neighbour_box)
    return Why(test, test_box, neighbour, place, box, name, distance)


def detail(
    item: str,
    name: str,
    load: Callable[[], Loaded],
    score: float,
    thresholds: Thresholds,
    *,
    key: str,
    link: str | None = None,
    truth: NDArray[np.bool_] | None = None,
    why: Why | None = None,
    mm_per_pixel: float | None = None,
    pixel_threshold: float | None = None,
    min_area: int = 1,
    judge_by: JudgeBy = "score",
    peak: float | None = None,
    picture_check: bool = True,
    doubts: Sequence[Doubt] = (),
    worst_box: Sequence[int] | None = None,
    adjustable: bool = False,
    reveal: bool = True,
    on_rule: Callable[[RegionRule], None] | None = None,
) -> None:
    """Show one image closely.

    Images above four megapixels come as an overview; where the user looks more closely, lossless crops follow, each by
    one run of the script. Call this inside an ``st.fragment`` so that such a run is short.

    Parameters
    ----------
    item
        Key of an image scored by an inspector; nothing is encoded twice under the same key.
    name
        The image's name as the user knows it.
    load
        Returns image (float 0..1 or uint8, [H, W, 3]) and map (float32 [H', W'], same proportions, or None). Called
        when the image is new, and again for crops of a large one.
    score
        The image's score.
    thresholds, key, link, pixel_threshold
        As for `workbench.viewer.gallery`.
    truth
        Marked defect, bool [H', W'].
    why
        See `why_pair`.
    mm_per_pixel
        Size of a pixel of the original, for measuring.
    min_area
        Regions of fewer pixels of the original are left out.
    judge_by, peak, picture_check
        As for `workbench.viewer.gallery` and `Tile`.
    doubts
        Reasons why the whole picture may not show such a part; the boxes of those with a place are drawn.
    worst_box
        As in `Tile`.
    adjustable
        Whether the user can move pixel threshold and smallest region, the regions following live.
    reveal
        Whether the page scrolls to it when another image is shown.
    on_rule
        Called with the new rule before the run that the change causes.
    """
    pictures = ImageSource(item, load)
    overview = encoded.get(("detail", item), lambda: pictures.overview(thresholds.reject))
    width, height = original_size(overview)
    wanted = wanted_crops(key, item, width, height) if width * height > WHOLE_PIXELS else None
    data = {
        "link": link or key,
        "given": thresholds.for_browser(link or key, pixel_threshold, min_area, judge_by, picture_check),
        "item": item,
        "name": name,
        "score": float(score),
        **({} if peak is None else {"peak": float(peak)}),
        "doubts": [doubt.to_dict() for doubt in doubts],
        "box": None if worst_box is None else [int(edge) for edge in worst_box],
        "scoreMax": max(float(score), thresholds.reject or 0.0),
        "url": picture_url(overview, f"{key}:picture"),
        "truthUrl": None if truth is None else picture_url(_truth(item, truth), f"{key}:truth"),
        "crops": None if wanted is None else {"size": CROP_SIDE, "have": crop_urls(key, pictures, wanted)},
        "why": None if why is None else _why_data(key, why),
        "mmPerPixel": mm_per_pixel,
        "adjustable": adjustable,
        "reveal": reveal,
    }
    events = {"rule": _ruled(key, link or key, on_rule), "crops": lambda: want_crops(key)}
    mount("detail", key, data, events=events)


def _surroundings(pixels: Pixels, box: Box) -> tuple[bytes, tuple[float, ...]]:
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    side = min(height, width, max(32, round(2.5 * max(x1 - x0, y1 - y0))))
    left = min(max(0, round((x0 + x1 - side) / 2)), width - side)
    top = min(max(0, round((y0 + y1 - side) / 2)), height - side)
    picture = as_bytes(pixels[top : top + side, left : left + side])
    share = fitted(picture.shape, 2 * THUMBNAIL_SIDE)[1] / side
    crop = encode_detail(picture, None, None, overview_side=2 * THUMBNAIL_SIDE)
    return crop, tuple(edge * share for edge in (x0 - left, y0 - top, x1 - left, y1 - top))


def _truth(item: str, truth: NDArray[np.bool_]) -> bytes:
    def encode() -> bytes:
        if truth.ndim != 2:
            raise DataError(f"A truth mask has rows and columns; this one has the shape {truth.shape}.")
        step = -(-max(truth.shape) // 1024)
        return pack(None, truth[::step, ::step].astype(np.float32), None, original=truth.shape)

    return encoded.get(("truth", item), encode)


def _why_data(key: str, why: Why) -> dict[str, Any]:
    return {
        "name": why.name,
        "distance": float(why.distance),
        "box": list(why.box),
        "test": {"url": picture_url(why.test, f"{key}:test"), "box": list(why.test_box)},
        "neighbour": {"url": picture_url(why.neighbour, f"{key}:neighbour"), "box": list(why.neighbour_box)},
    }


def _rule_from(value: object) -> RegionRule | None:
    if not isinstance(value, dict) or value.get("threshold") is None:
        return None
    return RegionRule(float(value["threshold"]), int(value["minArea"]))


def _ruled(key: str, link: str, tell: Callable[[RegionRule], None] | None) -> Callable[[], None]:
    def call() -> None:
        rule = _rule_from(event_value(key, "rule"))
        if rule is None:
            return
        lineage_of(f"{link}:rule").tell(rule.text())
        if tell is not None:
            tell(rule)

    return call
