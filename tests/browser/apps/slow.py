"""A gallery whose server takes its time before it draws it, for the browser tests."""

import time
from threading import Event
from typing import Any

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Thresholds, Tile, encode_tile, gallery

COUNT = 6
SECONDS = 1.5


@st.cache_resource
def tiles(number: int) -> list[Tile]:
    """Make pictures of their own for each page, which the browser cannot have from another one."""
    made, side = [made_up.part(place) for place in range(COUNT)], 223 - number % 64
    return [
        Tile(
            f"part{place}",
            f"img_{place}.png",
            score,
            encode_tile(pixels[:side, :side], scores[:side, :side], 3.42),
        )
        for place, (pixels, scores, score, _) in enumerate(made)
    ]


@st.cache_resource
def gate() -> Event:
    return Event()


def wait() -> None:
    gate().wait(60)


def draw(state: dict[str, Any], key: str) -> None:
    slow, place = st.button("Slow"), st.empty()
    st.button("Wait", on_click=wait)
    st.button("Let go", on_click=gate().set)
    st.button("Another line", on_click=lambda: state.update(thresholds=Thresholds(3.2)))
    wish = st.button("Without a band", on_click=lambda: state.update(thresholds=Thresholds(3.0)))
    if wish or slow:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:  # a run can be cut short wherever it writes
            time.sleep(0.05)
            place.text("working")
    gallery(
        tiles(int(key.rpartition("_")[2])),
        state.setdefault("thresholds", Thresholds(3.42, 3.10)),
        key=key,
        on_thresholds=lambda moved: state.update(thresholds=moved),
    )
    st.text(f"in force {state['thresholds'].reject:.6g} {state['thresholds'].review}")
