"""Images on the page Evaluate: a gallery without a strip, and the image that was clicked, closely."""

from collections.abc import Sequence

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.storage.tables import InspectorVersion, Result
from workbench.tuning.evidence import peak_for, result_key
from workbench.viewer import Thresholds, gallery
from workbench.widgets.inspect import batch_view
from workbench.widgets.shared import detail_view, session

LINK = "evaluate"
CHOICE = "shown"  # name of the opened image, in the address
HEIGHT = 420


def show_gallery(results: Sequence[Result], point: OperatingPoint, key: str, *, height: int = HEIGHT) -> None:
    """Draw images as tiles at the thresholds in force; a click opens one."""
    here = session.workspace()
    gallery(
        [batch_view.tile_of(here, result, point) for result in results if result.score is not None],
        Thresholds.of(point),
        key=key,
        link=LINK,
        strip=False,
        as_given=True,
        pixel_threshold=point.pixel,
        min_area=point.min_area,
        judge_by=point.judge_by,
        height=height,
        on_opened=lambda opened: session.choose(CHOICE, int(opened.split(":")[0])),
    )


def opened(results: Sequence[Result]) -> Result | None:
    """Return the image that is open, if it is one of these."""
    chosen = session.chosen_number(CHOICE)
    return next((one for one in results if one.id == chosen and one.score is not None), None)


def show_detail(result: Result, version: InspectorVersion, point: OperatingPoint) -> None:
    """Draw the opened image with its map, its regions and why it scored so."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(session.sentence(result.image.name), width="stretch")
        st.button("Close", key="close_shown", on_click=session.forget, args=(CHOICE,))

    @st.fragment
    def look() -> None:
        with session.plain_errors():
            item, peak = result_key(result), peak_for(session.workspace(), result, point)
            detail_view.show(result, item, version, Thresholds.of(point), point, link=LINK, peak=peak)

    look()


def show_with_detail(
    results: Sequence[Result],
    version: InspectorVersion,
    point: OperatingPoint,
    key: str,
    *,
    height: int = HEIGHT,
) -> None:
    """Draw a gallery and, below it, the image of it that is open."""
    show_gallery(results, point, key, height=height)
    shown = opened(results)
    if shown is not None:
        show_detail(shown, version, point)
