"""A strip and the detail of one made-up image, for the browser tests."""

from typing import Any

import numpy as np
import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, detail, threshold_strip, why_pair

LARGEST_WASHER = 1024  # pixels; a larger image holds its coordinates


@st.cache_resource
def image(side: int) -> made_up.Part:
    return made_up.large(side) if side > LARGEST_WASHER else made_up.part(6, side)


def draw(state: dict[str, Any], key: str, *, side: int = 512, name: str = "img_0006.png") -> None:
    pixels, scores, score, _ = image(side)
    box = (side // 2, side // 4, side // 2 + side // 8, side // 4 + side // 8)
    good = made_up.part(2, 256)[0]
    why = why_pair(pixels, box, good, (100, 60, 132, 92), name="good/031.png", distance=score)
    shown = f"six_{side}"  # a session keeps an image's pictures by its key
    dots = [Dot(shown, name, score, "defect")]
    dots += [
        Dot(f"good{at}", f"good/{at:03d}.png", value, "good")
        for at, value in enumerate(made_up.good_scores())
    ]
    thresholds = state.setdefault("thresholds", Thresholds(3.42))
    st.title("Detail")
    told: dict[str, object] = state.setdefault("told", {})
    threshold_strip(
        dots,
        thresholds,
        key=f"{key}_strip",
        link=key,
        on_thresholds=lambda moved: told.update(moved=moved.reject),
    )
    detail(
        shown,
        name,
        lambda: (pixels, scores),
        score,
        thresholds,
        key=key,
        link=key,
        truth=scores > np.float32(3.0),
        why=why,
        mm_per_pixel=0.05,
        adjustable=True,
        on_rule=lambda rule: told.update(rule=(rule.pixel_threshold, rule.min_area)),
    )
    for event, value in told.items():
        st.text(f"{event} {value}")
    state["runs"] = state.get("runs", 0) + 1
    st.text(f"runs {state['runs']}")
