"""The gallery: results as tiles with picture, verdict, score and a bar against the threshold; a click opens one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from patchcore.operating_point import OperatingPoint
from workbench.database import Result
from workbench.widgets import session, theme, wording
from workbench.widgets.tile_store import Painting, TileStore

PAGE = 60  # tiles at once
METER_TOP = 5 / 3  # of the threshold at the right end of the bar, which puts the tick at 60 %


def show(
    results: Sequence[Result],
    point: OperatingPoint,
    painting: Painting,
    store: TileStore,
    *,
    selected: int | None,
    on_open: Callable[[int], None],
) -> None:
    """Draw the tiles.

    Parameters
    ----------
    results
        In the order of the tiles.
    selected
        The result that is open; the tiles then make one row above its detail.
    on_open
        Called with the id of the result whose tile was clicked, before the page is drawn again.
    """
    shown = _page(results)
    with st.container(key="gallery_row" if selected is not None else "gallery_grid"):
        for place, result in enumerate(shown):
            with st.container(key=f"tile_{place}"):
                picture = _picture(result, point, painting, store)
                st.html(tile_html(result, point, picture, selected=result.id == selected))
                name = session.sentence(result.image.name)
                st.button(
                    f"Open {name}", key=f"pick_{place}_{result.id}", on_click=on_open, args=(result.id,)
                )


def preview_html(
    results: Sequence[Result], point: OperatingPoint, painting: Painting, store: TileStore
) -> str:
    """Return the first tiles as one piece of HTML, to be replaced often while results come in."""
    tiles = (tile_html(result, point, _picture(result, point, painting, store)) for result in results[:PAGE])
    return f'<div class="pc-gallery">{"".join(tiles)}</div>'


def _picture(result: Result, point: OperatingPoint, painting: Painting, store: TileStore) -> str | None:
    return None if result.score is None else store.painting(result, point.heat_from, painting)


def tile_html(result: Result, point: OperatingPoint, picture: str | None, *, selected: bool = False) -> str:
    """Return one tile as HTML; the file's name is escaped.

    Parameters
    ----------
    picture
        Address of the painted picture; None where the image could not be scored.
    """
    name = escape(result.image.name)
    caption = f'<div class="n pc-clip" title="{name}">{name}</div>'
    if result.score is None or picture is None:
        reason = escape(result.error or "not scored")
        top = f'<div class="broken">{reason}</div>'
        words = '<span class="pc-mute">! not scored</span>'
        return (
            f'<div class="pc-tile">{top}<div class="pc-cap">{words}{caption}{_meter(None, point)}</div></div>'
        )
    verdict = point.verdict(result.score)
    words = f'<span class="v">{theme.verdict_words(verdict)}</span>'
    score = f'<span class="s pc-num">{wording.score(result.score)}</span>'
    return (
        f'<div class="pc-tile{" sel" if selected else ""}"><img src="{picture}" alt="{name}">'
        f'<div class="pc-cap">{score}{words}{caption}{_meter(result.score, point)}</div></div>'
    )


def _meter(score: float | None, point: OperatingPoint) -> str:
    tick = f'<u style="left:{100 / METER_TOP:.0f}%"></u>'
    if score is None or point.reject <= 0:
        return f'<div class="pc-meter">{tick}</div>'
    verdict = point.verdict(score)
    width = min(100.0, max(0.0, 100 * score / point.reject / METER_TOP))
    return f'<div class="pc-meter pc-{verdict}"><i style="width:{width:.1f}%"></i>{tick}</div>'


def _page(results: Sequence[Result]) -> Sequence[Result]:
    """Return the tiles of the page that is turned to, with a control to turn when there is more than one."""
    pages = -(-len(results) // PAGE)
    if pages <= 1:
        return results
    number = st.pagination(pages, key="gallery_page")
    return results[(number - 1) * PAGE : number * PAGE]
