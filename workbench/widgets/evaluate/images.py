"""Images on the page Evaluate: a gallery without a strip, and the image that was clicked, closely."""

from collections.abc import Sequence

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.storage.tables import InspectorVersion, Result
from workbench.viewer import Thresholds, gallery
from workbench.widgets.inspect import batch_view
from workbench.widgets.shared import detail_view, session

LINK = "evaluate"
CHOICE = "shown"  # name of the opened image, in the address


def show_gallery(
    results: Sequence[Result], point: OperatingPoint, key: str, *, beside: Sequence[Result] = ()
) -> None:
    """Draw images as tiles at the thresholds in force; a click opens one.

    The gallery takes the height of the page, and one row above an image of `results` or `beside` that is open.
    """
    here, shown = session.workspace(), session.chosen_number(CHOICE)
    is_open = any(one.id == shown for one in (*results, *beside))
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
        picture_check=point.picture_check,
        height=batch_view.ONE_ROW if is_open else batch_view.TALL,
        on_opened=lambda opened: session.choose(CHOICE, int(opened.split(":")[0])),
        on_closed=lambda: session.forget(CHOICE),
    )


def show_opened(results: Sequence[Result], version: InspectorVersion, point: OperatingPoint) -> Result | None:
    """Draw the image that is open with its map, its regions and why it scored so, and return it.

    None when no image is open, or one that is not among `results`.
    """
    chosen = session.chosen_number(CHOICE)
    shown = next((one for one in results if one.id == chosen and one.score is not None), None)
    if shown is None:
        return None
    detail_view.look(shown, version, Thresholds.of(point), point, link=LINK)
    return shown
