"""One good image in the audit: a small picture with its worst patch marked, the patch itself, and its score."""

from html import escape

import numpy as np
import PIL.Image
import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.evaluation.audit import AuditedImage
from workbench.inspections.batches import Box, load_pixels
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.pictures import encode_jpeg, frame_style, thumbnail_tag
from workbench.widgets.shared.theme import data_uri

CROP_SIDE = 160  # pixels of the crop as it is sent
AROUND = 1.7  # times the patch's side that the crop shows
REMEMBERED = 500


def html(audited: AuditedImage, black_white: tuple[float, float] | None) -> str:
    """Return the picture, the worst patch and the numbers of a good image."""
    here = session.workspace()
    name = escape(audited.name)
    picture = thumbnail_tag(here, audited.sha256, audited.name)
    patch = '<div class="pc-blank" title="The worst patch appears once its map is made."></div>'
    if audited.worst_box is not None:
        picture += _mark(audited)
        crop = _crop(str(here.root), audited.sha256, audited.worst_box, black_white)
        if crop:
            patch = (
                f'<img src="{crop}" alt="worst patch of {name}" title="the worst patch and its surroundings">'
            )
    times = f"{audited.times_median:.1f} × the median good image"
    return (
        f'<div class="pc-audit pc-num"><figure>{picture}</figure><figure>{patch}</figure>'
        f'<p><b>{wording.score(audited.score)}</b> <span class="pc-mute">{times}</span></p></div>'
    )


def _mark(audited: AuditedImage) -> str:
    """Return a frame around the worst patch, placed in shares of the picture."""
    result = audited.result
    if result is None or audited.worst_box is None or not result.width or not result.height:
        return ""
    return f'<i style="{frame_style(audited.worst_box, result.width, result.height)}"></i>'


@st.cache_data(show_spinner=False, max_entries=REMEMBERED)
def _crop(root: str, sha256: str, box: Box, black_white: tuple[float, float] | None) -> str:
    try:
        pixels = load_pixels(session.workspace(), sha256, black_white)
    except PatchCoreError:
        return ""  # its file was taken away; the numbers beside it still serve
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    side = min(height, width, max(32, round(AROUND * max(x1 - x0, y1 - y0))))
    left = min(max(0, (x0 + x1 - side) // 2), width - side)
    top = min(max(0, (y0 + y1 - side) // 2), height - side)
    part = PIL.Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return data_uri(
        encode_jpeg(np.asarray(part.resize((CROP_SIDE, CROP_SIDE), PIL.Image.Resampling.BICUBIC)))
    )
