"""What the network sees: a good image with its region of interest beside the square that goes into the network."""

from __future__ import annotations

import io
from html import escape

import numpy as np
import PIL.Image
import PIL.ImageDraw
import streamlit as st
from numpy.typing import NDArray

from patchcore.errors import PatchCoreError
from patchcore.geometry import Geometry, prepare, thumbnail
from patchcore.images import read_image
from workbench.preflight import CheckedImage
from workbench.roi import Roi
from workbench.widgets import session
from workbench.widgets.draft import Draft, Geometric
from workbench.widgets.pictures import encode_jpeg
from workbench.widgets.theme import data_uri

SHOWN = 320  # pixels; the longest side of the original on the page
FITS: dict[Geometric, str] = {
    "fit": "Fit: keep the shape, pad the rest",
    "stretch": "Stretch: fill the square",
    "crop": "Crop: cut the centre out",
}
WHOLE, RECTANGLE, POLYGON = "Whole image", "Rectangle", "Polygon"


def show(draft: Draft) -> None:
    """Draw the preview and the choices of geometry and region, and put them into the draft."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        draft.geometry = st.radio(
            "Into the network's square",
            list(FITS),
            index=list(FITS).index(draft.geometry),
            format_func=FITS.__getitem__,
            help="The network takes square images. Maps and boxes come back in the original's own pixels "
            "whichever you choose; what is padded is neither learned nor scored, what is cropped is not inspected.",
        )
        draft.roi = _region(draft.roi)
    with left:
        number = 0
        if len(draft.images) > 1:
            number = st.slider("Good image", 1, len(draft.images), 1, help="Check the fit on several.") - 1
        try:
            st.html(_pair_html(draft, draft.images[number]))
        except PatchCoreError as error:
            st.error(session.sentence(str(error)))


def summary(draft: Draft) -> str:
    """Return one line: fit, 224 px, whole image."""
    region = "whole image" if draft.roi is None else "region of interest"
    return f"{draft.geometry} into {draft.image_size} × {draft.image_size} px, {region}"


def inspected_share(draft: Draft) -> float:
    """Return the share of the network's input that is neither padding nor outside the region."""
    if not draft.images:
        return 1.0
    record = draft.images[0].record
    small = np.zeros((max(1, record.height // 8), max(1, record.width // 8), 3), np.float32)
    roi = None if draft.roi is None else draft.roi.mask(*small.shape[:2])
    prepared = prepare(small, Geometry(draft.geometry, 224), roi)
    return float(prepared.valid.mean())


def _region(roi: Roi | None) -> Roi | None:
    kind = st.radio(
        "Region of interest",
        [WHOLE, RECTANGLE, POLYGON],
        index=0 if roi is None else 1,
        horizontal=True,
        key="roi_kind",
        help="Only what lies inside takes part in building and in scoring.",
    )
    if kind == RECTANGLE:
        across = st.slider(
            "Left and right, %", 0, 100, (10, 90), key="roi_across", help="Share of the width."
        )
        down = st.slider("Top and bottom, %", 0, 100, (10, 90), key="roi_down", help="Share of the height.")
        if across[0] == across[1] or down[0] == down[1]:
            st.error("The rectangle has no area. Pull its sides apart.")
            return roi
        return Roi.rectangle(across[0] / 100, down[0] / 100, across[1] / 100, down[1] / 100)
    if kind == POLYGON:
        return _polygon(roi)
    return None


def _polygon(roi: Roi | None) -> Roi | None:
    typed = st.text_area(
        "Corners, in % of width and height",
        "50,5; 95,50; 50,95; 5,50",
        key="roi_corners",
        height=68,
        help="x,y pairs with semicolons between them, from 0,0 at the top left to 100,100 at the bottom right.",
    )
    try:
        pairs = [[float(part) / 100 for part in pair.split(",")] for pair in typed.split(";") if pair.strip()]
        return Roi((tuple((x, y) for x, y in pairs),))
    except PatchCoreError as error:
        st.error(session.sentence(str(error)))
    except ValueError:
        st.error(
            "Write each corner as two numbers with a comma, corners apart by semicolons: 10,10; 90,10; 50,90."
        )
    return roi


def _pair_html(draft: Draft, image: CheckedImage) -> str:
    original, seen = _pictures(
        image.sha256,
        draft.geometry,
        draft.image_size,
        str(draft.roi),
        draft.value_range,
        _image=image,
        _roi=draft.roi,
    )
    record = image.record
    return (
        f'<div class="pc-pair pc-num"><figure><img src="{original}" alt="original">'
        f"<figcaption>{escape(image.name)}<br>{record.width} × {record.height} px</figcaption></figure>"
        f'<div class="pc-arrow" aria-hidden="true">→</div><figure><img src="{seen}" alt="network input">'
        f"<figcaption>what the network sees<br>{draft.image_size} × {draft.image_size} px, "
        "dimmed: not inspected</figcaption></figure></div>"
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _pictures(
    source: str,
    geometry: Geometric,
    size: int,
    region: str,
    value_range: tuple[float, float] | None,
    _image: CheckedImage,
    _roi: Roi | None,
) -> tuple[str, str]:
    """Return original and network input as addresses that carry the pictures."""
    pixels = read_image(_image.upload.data, name=_image.name, value_range=value_range).pixels
    small = thumbnail(pixels, SHOWN)
    mask = None if _roi is None else _roi.mask(*small.shape[:2])
    prepared = prepare(
        pixels, Geometry(geometry, size), None if _roi is None else _roi.mask(*pixels.shape[:2])
    )
    seen = (prepared.input * 255).round().astype(np.uint8)
    original = data_uri(_png(_outlined(small, _roi, mask)), "png")
    return original, data_uri(encode_jpeg(_dimmed(seen, prepared.valid)))


def _outlined(
    picture: NDArray[np.uint8], roi: Roi | None, mask: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    if roi is None or mask is None:
        return picture
    height, width = picture.shape[:2]
    drawing = PIL.Image.fromarray(_dimmed(picture, mask))
    pen = PIL.ImageDraw.Draw(drawing)
    for polygon in roi.polygons:
        pen.polygon(
            [(x * (width - 1), y * (height - 1)) for x, y in polygon], outline=(79, 179, 207), width=2
        )
    return np.asarray(drawing)


def _dimmed(picture: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(kept[..., None], picture, picture // 4).astype(np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
