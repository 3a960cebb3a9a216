"""Strip, outcome and the images nearest the threshold, linked as for deciding, for the browser tests."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from patchcore.maps.regions import clearing_threshold
from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, Tile, encode_tile, gallery, outcome, threshold_strip

COUNT = 24
DOUBT = "Darker than any good image."
STORED = Thresholds(3.42, 3.10)


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


def draw(
    state: dict[str, Any], key: str, *, area: bool = False, doubted: Sequence[int] = (), check: bool = True
) -> None:
    """Draw the parts; with `area`, an image is judged by its regions.

    The images at the places `doubted` have a doubt about the whole picture, which counts with `check`.
    """
    doubts = [(DOUBT,) if place in doubted else () for place in range(COUNT)]
    shown = [replace(tile, doubts=own) for tile, own in zip(tiles(), doubts, strict=True)]
    dots = [Dot(t.key, t.name, t.score, t.label or "image", t.truth, t.peak, t.doubts) for t in shown]
    dots += [
        Dot(f"good{at}", f"good/{at}.png", score, "reference")
        for at, score in enumerate(made_up.good_scores())
    ]
    thresholds = state.setdefault("thresholds", STORED)
    shared: dict[str, Any] = {
        "link": key,
        "judge_by": "area" if area else "score",
        "pixel_threshold": 2.0 if area else None,
        "picture_check": check,
    }
    left, right = st.columns([2, 1])
    with left:
        threshold_strip(
            dots,
            thresholds,
            key=f"{key}_strip",
            density=True,
            on_thresholds=lambda now: state.update(thresholds=now),
            **shared,
        )
        gallery(
            shown,
            thresholds,
            key=key,
            strip=False,
            borderline=6,
            labels=True,
            on_labelled=lambda image, label: state.setdefault("labels", []).append([image, label]),
            **shared,
        )
    with right:
        outcome(dots, thresholds, STORED, key=f"{key}_outcome", **shared)
    st.text(f"labels {json.dumps(state.get('labels', []))}")
