"""One image in detail: original, map and overlay side by side at any zoom, its regions, and why it scored so."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import PIL.Image
import streamlit as st
from numpy.typing import NDArray

from patchcore.errors import PatchCoreError
from patchcore.operating_point import OperatingPoint
from patchcore.regions import Region, find_regions
from patchcore.rendering import HeatScale, encode_png, heat_rgba, map_picture, overlay
from workbench.database import Result
from workbench.inspecting import Explained, explain, load_pixels
from workbench.widgets import session, theme, wording
from workbench.widgets.pictures import encode_jpeg
from workbench.widgets.tile_store import Layers, Painting, TileStore

Box = tuple[int, int, int, int]
PANE = 640  # pixels of a pane's picture at most
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
AROUND = 3.0  # how much of its surroundings is shown with a patch, in sides of the patch
REGIONS_SHOWN = 6


def show(result: Result, point: OperatingPoint, painting: Painting, store: TileStore) -> None:
    """Draw the detail of a scored image in one panel."""
    if result.score is None:
        st.error(session.sentence(f"{result.image.name}: {result.error}"))
        return
    layers = store.whole(result)
    regions = find_regions(layers.scores.astype(np.float32, copy=False), point.heat_from, point.min_area)
    pictures, words = st.columns([3, 1], gap="medium")
    with pictures:
        view = _view(result, layers.pixels.shape[:2], regions)
        st.html(panes_html(layers, view, point, painting))
        st.html(regions_html(regions, layers.pixels.shape[:2], point.heat_from))
    with words:
        st.html(verdict_html(result, point))
        st.html(legend_html(point))
        _why(result, layers.pixels)


def crop_box(shape: tuple[int, int], zoom: float, across: float, down: float) -> Box:
    """Return the part of an image that is shown, x0, y0, x1, y1.

    Parameters
    ----------
    shape
        (height, width) of the image.
    zoom
        1 shows all of it.
    across, down
        Where the middle of the part lies, 0 to 1; kept inside the image.
    """
    height, width = shape
    part_w, part_h = max(1, round(width / zoom)), max(1, round(height / zoom))
    x0 = min(max(round(across * width - part_w / 2), 0), width - part_w)
    y0 = min(max(round(down * height - part_h / 2), 0), height - part_h)
    return x0, y0, x0 + part_w, y0 + part_h


def panes_html(layers: Layers, box: Box, point: OperatingPoint, painting: Painting) -> str:
    """Return original, map and overlay of the same part of an image."""
    x0, y0, x1, y1 = box
    scale = HeatScale.anchored(point.heat_from)
    pixels, scores = layers.pixels[y0:y1, x0:x1], layers.scores[y0:y1, x0:x1].astype(np.float32, copy=False)
    pixels, scores = _reduced(pixels, scores)
    whole = max(x1 - x0, y1 - y0) > PANE
    panes = {
        "Original": np.ascontiguousarray(pixels),
        "Anomaly map": map_picture(scores, scale),
        "Overlay": overlay(pixels, scores, scale, mode=painting.mode, opacity=painting.opacity),
    }
    sharp = "" if whole or max(x1 - x0, y1 - y0) > PANE // 2 else ' class="sharp"'
    figures = "".join(
        f'<div><h3>{title}</h3><img src="{_encoded(picture, lossless=not whole)}" alt="{title}"{sharp}></div>'
        for title, picture in panes.items()
    )
    return f'<div class="pc-panes">{figures}</div>'


def verdict_html(result: Result, point: OperatingPoint) -> str:
    """Return the verdict, and the score against the threshold in words."""
    score = 0.0 if result.score is None else result.score
    if point.reject > 0:
        ratio = score / point.reject
        words = f"{ratio:.2f} times the threshold {wording.score(point.reject)}"
    else:
        words = f"the threshold is {wording.score(point.reject)}"
    truth = f"<br>known as {escape(result.image.truth.replace('_', ' '))}" if result.image.truth else ""
    return (
        f'<div class="pc-says pc-num">{theme.verdict_words(point.verdict(score))} '
        f'<b class="pc-{point.verdict(score)}">{wording.score(score)}</b></div>'
        f'<div class="pc-mute pc-num">{words}<br>{escape(result.image.name)}<br>'
        f"{result.width} × {result.height} px{truth}</div>"
    )


def legend_html(point: OperatingPoint) -> str:
    """Return the heat colours with the scores they stand for, and a line at the reject threshold."""
    scale = HeatScale.anchored(point.heat_from)
    ramp = heat_rgba(np.linspace(0, scale.top, 256, dtype=np.float32)[None], scale, 1.0)
    source = theme.data_uri(encode_png(ramp), "png")
    middle = 100 * scale.threshold / scale.top
    line = f'<i style="left:{min(100.0, 100 * point.reject / scale.top):.1f}%" title="reject threshold"></i>'
    return (
        f'<div class="pc-legend"><img src="{source}" alt="heat colours">{line}</div>'
        '<div class="pc-legend-numbers pc-num">'
        f'<span style="left:0">0</span><span style="left:{middle:.0f}%;transform:translateX(-50%)">'
        f'{wording.score(scale.threshold)}</span><span style="right:0">{wording.score(scale.top)} +</span></div>'
    )


def regions_html(regions: Sequence[Region], shape: tuple[int, int], above: float) -> str:
    """Return the defect regions, worst first, in pixels of the original."""
    if not regions:
        return f'<p class="pc-mute">No region of the map lies above {wording.score(above)}, where heat begins.</p>'
    rows = "".join(
        f"<tr><td>#{number}</td><td class='r'>{wording.score(region.score)}</td>"
        f"<td class='r'>{wording.count(region.area)} px</td>"
        f"<td class='r'>{100 * region.area / (shape[0] * shape[1]):.2g} %</td>"
        f"<td class='r'>x {region.box[0]} to {region.box[2]}, y {region.box[1]} to {region.box[3]}</td></tr>"
        for number, region in enumerate(regions[:REGIONS_SHOWN], start=1)
    )
    head = (
        "<tr><th>Region</th><th class='r'>Largest in map</th><th class='r'>Area</th>"
        "<th class='r'>Of the image</th><th class='r'>Box</th></tr>"
    )
    more = len(regions) - REGIONS_SHOWN
    rest = f'<p class="pc-mute">and {wording.counted(more, "smaller region")}</p>' if more > 0 else ""
    return f'<table class="pc-table pc-num">{head}{rows}</table>{rest}'


def patch_crop(pixels: NDArray[np.uint8], box: Sequence[int]) -> NDArray[np.uint8]:
    """Return a patch with its surroundings, uint8 [S, S, 3], the patch itself framed."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    side = min(max(8, round(AROUND * max(x1 - x0, y1 - y0))), height, width)
    left = min(max((x0 + x1 - side) // 2, 0), width - side)
    top = min(max((y0 + y1 - side) // 2, 0), height - side)
    picture = PIL.Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    shown = np.array(picture.resize((256, 256), PIL.Image.Resampling.BICUBIC))
    edges = [round(256 * value / side) for value in (x0 - left, y0 - top, x1 - left, y1 - top)]
    _frame(shown, [min(max(edge, 0), 255) for edge in edges])
    return shown


def _why(result: Result, pixels: NDArray[np.uint8]) -> None:
    try:
        why = explain(session.workspace(), result)
        neighbour = load_pixels(session.workspace(), why.neighbour_sha256)
    except PatchCoreError as error:
        st.error(session.sentence(str(error)))
        return
    st.html(why_html(why, patch_crop(pixels, why.test_box), patch_crop(neighbour, why.neighbour_box)))


def why_html(why: Explained, worst: NDArray[np.uint8], nearest: NDArray[np.uint8]) -> str:
    """Return the worst patch beside the nearest good one; the good image's name is escaped."""
    figures = "".join(
        f'<figure><img src="{theme.data_uri(encode_jpeg(picture, 90))}" alt="{title}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for picture, title, caption in (
            (worst, "worst patch", "its worst patch"),
            (nearest, "nearest good patch", f"the nearest, in {escape(why.neighbour_name)}"),
        )
    )
    return (
        '<p style="margin:.2rem 0 .4rem"><b>Why</b> <span class="pc-mute pc-num">no good patch is closer to its worst '
        f'patch than {wording.score(why.distance)}</span></p><div class="pc-why">{figures}</div>'
    )


def _view(result: Result, shape: tuple[int, int], regions: Sequence[Region]) -> Box:
    """Draw the controls of zoom and place, and return the part of the image to show."""
    x0, y0, x1, y1 = result.worst_box or (0, 0, shape[1], shape[0])
    places = {"worst patch": ((x0 + x1) / 2, (y0 + y1) / 2)}
    places |= {
        f"region #{number}": region.centroid for number, region in enumerate(regions[:REGIONS_SHOWN], start=1)
    }
    with st.container(horizontal=True, vertical_alignment="bottom", key="detail_controls"):
        zoom = st.select_slider(
            "Zoom",
            ZOOMS,
            1.0,
            format_func=lambda value: f"{value:g}×",
            key=f"zoom_{result.id}",
            width=220,
            help="All three pictures show the same part. From the zoom on at which a pixel of the original is a "
            "pixel of the screen, nothing is smoothed.",
        )
        place = st.selectbox(
            "Look at", list(places), key=f"place_{result.id}", width=150, disabled=zoom == 1.0
        )
        x, y = places.get(str(place), places["worst patch"])
        across = st.slider(
            "Move across",
            -1.0,
            1.0,
            0.0,
            0.05,
            key=f"across_{result.id}",
            disabled=zoom == 1.0,
            width=130,
            format=" ",
        )
        down = st.slider(
            "Move down",
            -1.0,
            1.0,
            0.0,
            0.05,
            key=f"down_{result.id}",
            disabled=zoom == 1.0,
            width=130,
            format=" ",
        )
    return crop_box(shape, zoom, x / shape[1] + across / 2, y / shape[0] + down / 2)


def _reduced(
    pixels: NDArray[np.uint8], scores: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Shrink a part that has more pixels than its pane."""
    height, width = scores.shape
    factor = max(height, width) / PANE
    if factor <= 1:
        return pixels, scores
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    picture = PIL.Image.fromarray(np.ascontiguousarray(pixels)).resize(size, PIL.Image.Resampling.BOX)
    small = PIL.Image.fromarray(np.ascontiguousarray(scores)).resize(size, PIL.Image.Resampling.BOX)
    return np.asarray(picture), np.asarray(small)


def _encoded(picture: NDArray[np.uint8], *, lossless: bool) -> str:
    if lossless:
        return theme.data_uri(encode_png(picture), "png")
    return theme.data_uri(encode_jpeg(picture, 92))


def _frame(picture: NDArray[np.uint8], edges: Sequence[int]) -> None:
    """Draw a white frame with a dark rim in place."""
    x0, y0, x1, y1 = edges
    for grow, colour in ((1, 20), (0, 255)):
        top, left = max(y0 - grow, 0), max(x0 - grow, 0)
        bottom, right = min(y1 + grow, 255), min(x1 + grow, 255)
        picture[top, left : right + 1] = picture[bottom, left : right + 1] = colour
        picture[top : bottom + 1, left] = picture[top : bottom + 1, right] = colour
