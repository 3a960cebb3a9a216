"""A page whose server takes its time before it draws the gallery, for the browser tests."""

import time
from threading import Event

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Thresholds, Tile, encode_tile, gallery, kept_files

COUNT = 6
SECONDS = 1.5


@st.cache_resource
def tiles() -> list[Tile]:
    made = [made_up.part(place) for place in range(COUNT)]
    return [
        Tile(f"part{place}", f"img_{place}.png", score, encode_tile(pixels, scores, 3.42))
        for place, (pixels, scores, score, _) in enumerate(made)
    ]


def wish() -> None:
    st.session_state.thresholds = Thresholds(3.0)


@st.cache_resource
def gate() -> Event:
    return Event()


def wait() -> None:
    gate().wait(60)


with kept_files():
    st.set_page_config(layout="wide", page_title="Slow")
    slow, place = st.button("Slow"), st.empty()
    st.button("Wait", on_click=wait)
    st.button("Let go", on_click=gate().set)
    st.button("Another line", on_click=lambda: st.session_state.update(thresholds=Thresholds(3.2)))
    if st.button("Without a band", on_click=wish) or slow:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:  # a run can be cut short wherever it writes
            time.sleep(0.05)
            place.text("working")
    gallery(
        tiles(),
        st.session_state.setdefault("thresholds", Thresholds(3.42, 3.10)),
        key="gallery",
        on_thresholds=lambda moved: st.session_state.update(thresholds=moved),
    )
    st.text(f"in force {st.session_state.thresholds.reject:.6g} {st.session_state.thresholds.review}")
