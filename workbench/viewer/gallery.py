"""The gallery of tiles with its threshold strip, and the strip on its own."""

from collections.abc import Callable, Sequence

from patchcore.thresholds.operating_point import JudgeBy
from workbench.viewer.component import event_value, json_url, mount, picture_urls
from workbench.viewer.items import Dot, Label, Thresholds, Tile, thresholds_from
from workbench.viewer.lineage import lineage_of

TILE_WIDTH = 170


def gallery(
    tiles: Sequence[Tile],
    thresholds: Thresholds,
    *,
    key: str,
    link: str | None = None,
    reference: Sequence[Dot] = (),
    strip: bool = True,
    pixel_threshold: float | None = None,
    min_area: int = 1,
    height: int = 640,
    tile_width: int = TILE_WIDTH,
    judge_by: JudgeBy = "score",
    picture_check: bool = True,
    borderline: int | None = None,
    as_given: bool = False,
    labels: bool = False,
    on_thresholds: Callable[[Thresholds], None] | None = None,
    on_opened: Callable[[str], None] | None = None,
    on_closed: Callable[[], None] | None = None,
    on_labelled: Callable[[str, Label | None], None] | None = None,
) -> None:
    """Show images as tiles that follow a dragged threshold without a run of the script.

    Parameters
    ----------
    tiles
        The images, in the order they came; the browser sorts and filters them. Thousands are fine.
    thresholds
        The thresholds in force. When they change, the gallery takes them over; until then the user's dragged values
        stay.
    key
        Streamlit key.
    link
        Viewers with the same link share thresholds, way of painting and the image pointed at; by default `key`.
    reference
        Further dots on the strip, e.g. the leave-one-out scores of the good images.
    strip
        Whether the threshold strip stands over the tiles.
    pixel_threshold
        Where heat and contours begin, score units; None lets them follow the review threshold, without one
        the reject threshold, as `OperatingPoint.heat_from` does.
    min_area
        Contours are drawn around regions of at least this many pixels of the original.
    height
        Height of the scrolling part at most, pixels.
    tile_width
        Width of a tile to begin with, pixels.
    judge_by
        The basis of verdicts, as in `OperatingPoint`; "area" and "both" require tiles with a `peak`.
    picture_check
        Whether images with doubts are not accepted, as in `OperatingPoint`.
    borderline
        Show only this many images: the nearest to the reject threshold on either side, while it moves.
    as_given
        Show the tiles in the order of `tiles`, without controls for order, filter and size: for a page's own small
        selection.
    labels
        Whether the user can label images here, good or defect: a click on the tile, or the keys G and D.
    on_thresholds, on_opened, on_closed, on_labelled
        Called before the run that an event causes, so that the whole page already shows it. The opened image is the
        current one of its link: arrow keys in gallery and detail go to the next one, and the Escape key closes it
        where `on_closed` is given.
    """
    urls = picture_urls((tile.picture for tile in tiles), key)
    contents = {
        "tiles": [tile.to_dict(url) for tile, url in zip(tiles, urls, strict=True)],
        "reference": [dot.to_dict() for dot in reference],
    }
    data = {
        "link": link or key,
        "given": thresholds.for_browser(link or key, pixel_threshold, min_area, judge_by, picture_check),
        "tilesUrl": json_url(contents, f"{key}:tiles"),
        "strip": strip,
        "height": height,
        "tileWidth": tile_width,
        "borderline": borderline,
        "asGiven": as_given,
        "labels": labels,
        "closable": on_closed is not None,
    }
    events = {
        "threshold": _moved(key, link or key, on_thresholds),
        "opened": _opened(key, on_opened),
        "closed": on_closed,
        "labelled": _labelled(key, on_labelled),
    }
    mount("gallery", key, data, states=["selected"], events=events)


def threshold_strip(
    dots: Sequence[Dot],
    thresholds: Thresholds,
    *,
    key: str,
    link: str | None = None,
    pixel_threshold: float | None = None,
    min_area: int = 1,
    judge_by: JudgeBy = "score",
    picture_check: bool = True,
    density: bool = False,
    on_thresholds: Callable[[Thresholds], None] | None = None,
    on_opened: Callable[[str], None] | None = None,
) -> None:
    """Show scores as dots with draggable thresholds; galleries and details of the same link follow the drag.

    Parameters
    ----------
    dots
        One per image.
    thresholds, key, link, pixel_threshold, min_area, judge_by, picture_check, on_thresholds, on_opened
        As for `gallery`. `opened` is the key of a dot that was clicked.
    density
        Whether hills behind the dots show the density of good images and of defects.
    """
    data = {
        "link": link or key,
        "given": thresholds.for_browser(link or key, pixel_threshold, min_area, judge_by, picture_check),
        "dotsUrl": json_url([dot.to_dict() for dot in dots], f"{key}:dots"),
        "density": density,
    }
    events = {"threshold": _moved(key, link or key, on_thresholds), "opened": _opened(key, on_opened)}
    mount("strip", key, data, events=events)


def _moved(key: str, link: str, tell: Callable[[Thresholds], None] | None) -> Callable[[], None]:
    def call() -> None:
        moved = _heard(key, link)
        if moved is None:
            return
        lineage_of(link).tell(moved.text())
        if tell is not None:
            tell(moved)

    return call


def _heard(key: str, link: str) -> Thresholds | None:
    """Return the thresholds reported to this run, unless the page has asked for others that were not yet on screen.

    A user may release a line while a busy server is still drawing the page's own values. That line started from an
    outdated position, and the browser is about to follow the page, so the release is ignored.
    """
    value = event_value(key, "threshold")
    moved = thresholds_from(value)
    if moved is None or value.get("revision", lineage_of(link).revision) != lineage_of(link).revision:
        return None
    return moved


def _opened(key: str, tell: Callable[[str], None] | None) -> Callable[[], None] | None:
    if tell is None:
        return None

    def call() -> None:
        opened = event_value(key, "opened")
        if isinstance(opened, str):
            tell(opened)

    return call


def _label_from(value: object) -> tuple[str, Label | None] | None:
    if not isinstance(value, dict) or value.get("label") not in ("good", "defect", None):
        return None
    return str(value.get("key")), value["label"]


def _labelled(key: str, tell: Callable[[str, Label | None], None] | None) -> Callable[[], None] | None:
    if tell is None:
        return None

    def call() -> None:
        labelled = _label_from(event_value(key, "labelled"))
        if labelled is not None:
            tell(*labelled)

    return call
