"""Pictures for the page: small ones from the workspace as HTML, arrays encoded quickly."""

import io
from collections.abc import Sequence
from html import escape

import numpy as np
import PIL.Image
import streamlit as st
from numpy.typing import NDArray

from patchcore.errors import PatchCoreError
from workbench.storage.workspace import Workspace
from workbench.widgets.shared.theme import data_uri

BLANK = '<div class="pc-blank"></div>'


def thumbnail_tag(workspace: Workspace, sha256: str | None, title: str = "") -> str:
    """Return an image of the workspace as an HTML picture, or a blank one where there is none."""
    if sha256 is None:
        return BLANK
    try:
        source = _thumbnail(str(workspace.root), sha256, _workspace=workspace)
    except PatchCoreError:
        return BLANK  # its file was taken away; the words beside it still serve
    return picture_tag(source, title)


def picture_tag(source: str, name: str) -> str:
    """Return a picture that says its name when it is pointed at."""
    return f'<img src="{source}" alt="{escape(name)}" title="{escape(name)}">'


def name_html(name: str) -> str:
    """Return a file's name for a place that may be too narrow: its end stays in sight, where names mostly differ."""
    return f'<span class="pc-name" title="{escape(name)}"><bdi dir="ltr">{escape(name)}</bdi></span>'


def frame_style(box: Sequence[int], width: int, height: int) -> str:
    """Return the style that lays a frame over a picture, from x0, y0, x1, y1 in pixels of the original."""
    x0, y0, x1, y1 = box
    place = (100 * x0 / width, 100 * y0 / height, 100 * (x1 - x0) / width, 100 * (y1 - y0) / height)
    return "left:{:.2f}%;top:{:.2f}%;width:{:.2f}%;height:{:.2f}%".format(*place)


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture, uint8 [H, W, 3], without mixing the colours of neighbouring pixels."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "JPEG", quality=86, subsampling=0)
    return buffer.getvalue()


@st.cache_data(show_spinner=False, max_entries=4000)
def _thumbnail(root: str, sha256: str, _workspace: Workspace) -> str:
    return data_uri(_workspace.thumbnail(sha256).read_bytes())
