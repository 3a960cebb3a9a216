"""One image of a batch closely: its map, its mask, and the reason for its score."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from patchcore.methods import EXPLAIN
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import Explained, explain, load_map, load_mask, load_pixels, value_range_of
from workbench.inspections.picture_doubts import doubt_sentences, doubts_of
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import has_good_images
from workbench.storage.tables import BatchImage, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import peak_for, result_key, stored_map
from workbench.tuning.map_peaks import lost_maps
from workbench.viewer import RegionRule, Thresholds, Why, detail, why_pair
from workbench.viewer.items import Loaded
from workbench.widgets.shared import progress, session, wording

REMEMBERED = 200  # reasons and masks


def show(
    result: Result,
    item: str,
    version: InspectorVersion,
    thresholds: Thresholds,
    point: OperatingPoint,
    *,
    key: str = "detail",
    link: str = "inspect",
    peak: float | None = None,
    reveal: bool = True,
    on_rule: Callable[[RegionRule], None] | None = None,
) -> None:
    """Draw the detail of a scored image.

    Parameters
    ----------
    item
        A key of the result that no other result has.
    key, link, peak, reveal
        As for `workbench.viewer.detail`.
    on_rule
        Takes the pixel threshold and the smallest region that the user sets; without it they cannot be moved.
    """
    here, black_white = session.workspace(), value_range_of(version)
    for remark in result.remarks or ():
        st.caption(session.sentence(remark))
    for sentence in doubt_sentences(result):
        lead = "Whole picture" if point.picture_check else "Whole picture, not counted"
        st.caption(session.sentence(f"{lead}: {sentence}"))

    if lost := progress.lost_words(lost_maps([stored_map(here, result)], point.min_area)):
        st.caption(session.sentence(lost))

    def load() -> Loaded:
        pixels = load_pixels(here, result.image.sha256, black_white)
        return pixels, None if lost else load_map(here, result)

    detail(
        item,
        result.image.name,
        load,
        result.score or 0.0,
        thresholds,
        key=key,
        link=link,
        truth=_truth(result),
        why=_reason(result, item, version, black_white),
        mm_per_pixel=point.millimetres_per_pixel,
        pixel_threshold=point.pixel,
        min_area=point.min_area,
        judge_by=point.judge_by,
        picture_check=point.picture_check,
        doubts=doubts_of(result),
        worst_box=result.worst_box,
        peak=peak,
        adjustable=on_rule is not None,
        reveal=reveal,
        on_rule=on_rule,
    )


def look(
    result: Result,
    version: InspectorVersion,
    thresholds: Thresholds,
    point: OperatingPoint,
    *,
    key: str = "detail",
    link: str = "inspect",
    reveal: bool = True,
) -> None:
    """Draw the detail of a scored image so that a closer look at a large image draws nothing else again."""

    @session.fragment()
    def draw() -> None:
        item, peak = result_key(result), peak_for(session.workspace(), result, point)
        show(result, item, version, thresholds, point, key=key, link=link, peak=peak, reveal=reveal)

    draw()


def _reason(
    result: Result, key: str, version: InspectorVersion, black_white: tuple[float, float] | None
) -> Why | None:
    if lack := refusal(version, EXPLAIN):
        st.caption(lack)
        return None
    with session.plain_errors():
        if has_good_images(version):
            return _why(str(session.workspace().root), key, black_white, _result=result)
        _reason_in_words(result)
    return None


def _reason_in_words(result: Result) -> None:
    """Give the reason in words alone: the good images of an imported inspector are not here."""
    why = explain(session.workspace(), result)
    words = (
        f"Closest: {why.neighbour_name} (distance {wording.score(why.distance)}). That image is not in this workspace, "
        "because the inspector was imported; so it cannot be shown."
    )
    st.caption(session.sentence(words))


@st.cache_data(show_spinner="Looking for the nearest good part", max_entries=REMEMBERED)
def _why(root: str, key: str, black_white: tuple[float, float] | None, _result: Result) -> Why:
    here = session.workspace()
    return why_of(here, _result, explain(here, _result), black_white)


def why_of(here: Workspace, result: Result, why: Explained, black_white: tuple[float, float] | None) -> Why:
    """Return the worst patch of a result and the nearest good one, each in its picture."""
    return why_pair(
        load_pixels(here, result.image.sha256, black_white),
        why.test_box,
        load_pixels(here, why.neighbour_sha256, black_white),
        why.neighbour_box,
        name=why.neighbour_name,
        distance=why.distance,
    )


def _truth(result: Result) -> NDArray[np.bool_] | None:
    here, image = session.workspace(), result.image
    with session.plain_errors():
        return _mask(str(here.root), image.mask_sha256, image.sha256, _image=image)
    return None


@st.cache_data(show_spinner=False, max_entries=REMEMBERED)
def _mask(root: str, mask: str | None, sha256: str, _image: BatchImage) -> NDArray[np.bool_] | None:
    return load_mask(session.workspace(), _image)
