"""A gallery of made-up images and the detail of the one that is open, as pages draw them, for the browser tests."""

import json
from typing import Any

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Thresholds, Tile, detail, encode_tile, gallery

COUNT = 12
BOX = (60, 40, 108, 88)  # of every image


@st.cache_resource
def parts() -> list[made_up.Part]:
    return [made_up.part(number) for number in range(COUNT)]


@st.cache_resource
def tiles() -> list[Tile]:
    return [
        Tile(
            f"open{place}",
            f"img_{place:04d}.png",
            part.score,
            encode_tile(part.pixels, part.scores, 3.42, lossless=True),
            worst_box=BOX,
        )
        for place, part in enumerate(parts())
    ]


def draw(state: dict[str, Any], key: str) -> None:
    log: list[object] = state.setdefault("log", [])
    thresholds = state.setdefault("thresholds", Thresholds(3.42))

    def choose(chosen: str | None) -> None:
        state["open"] = chosen
        log.append(chosen)

    gallery(
        tiles(),
        thresholds,
        key=key,
        height=262 if state.get("open") else 640,
        on_thresholds=lambda moved: state.update(thresholds=moved),
        on_opened=choose,
        on_closed=lambda: choose(None),
    )
    if state.get("open"):
        place = int(state["open"].removeprefix("open"))
        pixels, scores, score, _ = parts()[place]
        detail(
            f"open{place}",
            f"img_{place:04d}.png",
            lambda: (pixels, scores),
            score,
            thresholds,
            key=f"{key}_detail",
            link=key,
            worst_box=BOX,
        )
    st.text(f"opened {json.dumps(log)}")
