"""A page with a strip and the detail of one made-up image, for the browser tests. SIDE pixels square."""

import os

import numpy as np
import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, detail, threshold_strip, why_pair

st.set_page_config(layout="wide", page_title="Detail")
SIDE = int(os.environ.get("SIDE", "512"))
NAME = os.environ.get("NAME", "img_0006.png")


@st.cache_resource
def image() -> made_up.Part:
    return made_up.large(SIDE) if SIDE > 1024 else made_up.part(6, SIDE)


pixels, scores, score, _ = image()
box = (SIDE // 2, SIDE // 4, SIDE // 2 + SIDE // 8, SIDE // 4 + SIDE // 8)
good = made_up.part(2, 256)[0]
why = why_pair(pixels, box, good, (100, 60, 132, 92), name="good/031.png", distance=score)
dots = [Dot("six", NAME, score, "defect")]
dots += [
    Dot(f"good{at}", f"good/{at:03d}.png", value, "good") for at, value in enumerate(made_up.good_scores())
]
thresholds = st.session_state.setdefault("thresholds", Thresholds(3.42))
st.title("Detail")
told: dict[str, object] = st.session_state.setdefault("told", {})
threshold_strip(
    dots,
    thresholds,
    key="strip",
    link="page",
    on_thresholds=lambda moved: told.update(moved=moved.reject),
)
detail(
    "six",
    NAME,
    lambda: (pixels, scores),
    score,
    thresholds,
    key="detail",
    link="page",
    truth=scores > np.float32(3.0),
    why=why,
    mm_per_pixel=0.05,
    adjustable=True,
    on_rule=lambda rule: told.update(rule=(rule.pixel_threshold, rule.min_area)),
)
for name, value in told.items():
    st.text(f"{name} {value}")
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.text(f"runs {st.session_state.runs}")
