"""A page as for deciding: strip, outcome and the images nearest the threshold, linked, for the browser tests."""

import json

import streamlit as st

from patchcore.maps.regions import clearing_threshold
from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, Tile, encode_tile, gallery, kept_files, outcome, threshold_strip

COUNT = 24
STORED = Thresholds(3.42, 3.10)

st.set_page_config(layout="wide", page_title="Tune")


@st.cache_resource
def tiles() -> list[Tile]:
    made = []
    for place in range(COUNT):
        pixels, scores, score, truth = made_up.part(place)
        label = "defect" if truth else "good"
        peak = clearing_threshold(scores)
        picture = encode_tile(pixels, scores, 3.42)
        made.append(Tile(f"part{place}", f"img_{place:04d}.png", score, picture, label, truth, peak))
    return made


judge_by = "area" if "area" in st.query_params else "score"
dots = [Dot(t.key, t.name, t.score, t.label or "image", t.truth, t.peak) for t in tiles()]
dots += [
    Dot(f"good{at}", f"good/{at}.png", score, "reference") for at, score in enumerate(made_up.good_scores())
]
thresholds = st.session_state.setdefault("thresholds", STORED)
moved = {"link": "tune", "judge_by": judge_by, "pixel_threshold": 2.0 if judge_by == "area" else None}
with kept_files():
    left, right = st.columns([2, 1])
    with left:
        threshold_strip(
            dots,
            thresholds,
            key="strip",
            density=True,
            on_thresholds=lambda now: st.session_state.update(thresholds=now),
            **moved,
        )
        gallery(
            tiles(),
            thresholds,
            key="near",
            strip=False,
            borderline=6,
            labels=True,
            on_labelled=lambda key, label: st.session_state.setdefault("labels", []).append([key, label]),
            **moved,
        )
    with right:
        outcome(dots, thresholds, STORED, key="outcome", **moved)
    st.text(f"labels {json.dumps(st.session_state.get('labels', []))}")
