"""Ten made-up images whose tiles hold their very pixels, for the tests that compare colours."""

from typing import Any

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Thresholds, Tile, encode_tile, gallery


@st.cache_resource
def tiles() -> list[Tile]:
    made = []
    for number in range(0, 30, 3):
        part = made_up.part(number)
        picture = encode_tile(part.pixels, part.scores, 3.42, lossless=True)
        made.append(Tile(f"part{number}", f"img_{number:04d}.png", part.score, picture))
    return made


def draw(_state: dict[str, Any], key: str) -> None:
    gallery(tiles(), Thresholds(3.42), key=key, height=1000)
