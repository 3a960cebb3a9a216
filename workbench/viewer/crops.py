"""Images too large to send whole: an overview first, then lossless crops where the user looks closely."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workbench.storage.pictures import as_bytes, encode_detail, encode_image, encoded, pack
from workbench.storage.recently_used import Latest
from workbench.viewer.component import event_value, picture_url
from workbench.viewer.items import Loaded

WHOLE_PIXELS = 4_000_000  # images up to here are sent whole and lossless
OVERVIEW_SIDE = 2048
CROP_SIDE = 1024
CROPS_KEPT = 40


class ImageSource:
    """The pixels of one image, loaded at most once per run."""

    def __init__(self, item: str, load: Callable[[], Loaded]) -> None:
        self.item = item
        self._load = load

    def overview(self, threshold: float | None) -> bytes:
        """Encode the first view: the whole image or its overview."""
        pixels, anomaly_map = self._load()
        large = pixels.shape[0] * pixels.shape[1] > WHOLE_PIXELS
        picture = as_bytes(pixels)
        if large:
            _large.put(self.item, picture)
        return encode_detail(picture, anomaly_map, threshold, overview_side=OVERVIEW_SIDE if large else None)

    def crop(self, row: int, column: int) -> bytes:
        """Encode one crop without loss."""
        picture = _large.get(self.item, lambda: as_bytes(self._load()[0]))
        y, x = row * CROP_SIDE, column * CROP_SIDE
        part = np.ascontiguousarray(picture[y : y + CROP_SIDE, x : x + CROP_SIDE])
        return pack(encode_image(part, "png"), None, None, original=part.shape)


_large = Latest[NDArray[np.uint8]](2)  # the last images viewed, so that their crops need no second reading


def crop_urls(key: str, pictures: ImageSource, wanted: Sequence[tuple[int, int]]) -> dict[str, str]:
    """Serve the requested crops; return their addresses by "row,column"."""
    urls = {}
    for row, column in wanted:
        crop = encoded.get(("crop", pictures.item, row, column), partial(pictures.crop, row, column))
        urls[f"{row},{column}"] = picture_url(crop, f"{key}:crop:{row},{column}")
    return urls


def wanted_crops(key: str, item: str, width: int, height: int) -> list[tuple[int, int]]:
    """Return the crops (row, column) that the browser has asked for and that lie in the image."""
    import streamlit as st

    asked: dict[str, list[list[int]]] = st.session_state.get(f"{key}:crops", {})
    inside = {
        (row, column) for row in range(-(-height // CROP_SIDE)) for column in range(-(-width // CROP_SIDE))
    }
    return [place for place in map(tuple, asked.get(item, [])) if place in inside][-CROPS_KEPT:]


def want_crops(key: str) -> None:
    """Note which crops the browser has asked for; the run that follows encodes them."""
    import streamlit as st

    asked = event_value(key, "crops")
    if isinstance(asked, dict):
        before = st.session_state.get(f"{key}:crops", {}).get(asked["item"], [])
        new = [place for place in asked["places"] if place not in before]
        st.session_state[f"{key}:crops"] = {asked["item"]: before + new}
