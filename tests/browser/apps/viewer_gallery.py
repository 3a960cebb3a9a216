"""A page with nothing but a gallery of made-up images, for the browser tests. COUNT images of FEW kinds."""

import json
import os
from dataclasses import replace

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, Tile, encode_tile, gallery

st.set_page_config(layout="wide", page_title="Gallery")
COUNT = int(os.environ.get("COUNT", "24"))
FEW = int(os.environ.get("FEW", str(COUNT)))  # more images than this repeat
NAMES = json.loads(os.environ.get("NAMES", "[]"))


@st.cache_resource
def tiles() -> list[Tile]:
    made = []
    for place in range(COUNT):
        if place >= FEW:
            twin = made[place % FEW]
            made.append(replace(twin, key=f"part{place}", name=f"img_{place:04d}.png"))
            continue
        pixels, scores, score, truth = made_up.part(place)
        name = NAMES[place] if place < len(NAMES) else f"img_{place:04d}.png"
        label = "defect" if truth else "good"
        picture = encode_tile(pixels, scores, 3.42)
        made.append(Tile(f"part{place}", name, score, picture, label, truth))
    return made


reference = [Dot(f"good{at}", f"good/{at:03d}.png", score) for at, score in enumerate(made_up.good_scores())]
reference = [Dot(dot.key, dot.name, dot.score, "reference") for dot in reference]
st.title("Inspect")
log: list[list[object]] = st.session_state.setdefault("log", [])


def moved(now: Thresholds) -> None:
    st.session_state.thresholds = now
    log.append([now.reject, None])


gallery(
    tiles(),
    st.session_state.setdefault("thresholds", Thresholds(3.42, 3.10)),
    key="gallery",
    reference=reference,
    height=int(os.environ.get("HEIGHT", "640")),
    tile_width=int(os.environ.get("TILE_WIDTH", "170")),
    on_thresholds=moved,
    on_opened=lambda key: log.append([None, key]),
)
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.text(f"runs {st.session_state.runs}")
st.text(f"events {json.dumps(log)}")
st.text(f"selected {json.dumps(sorted(st.session_state.gallery.get('selected') or []))}")
