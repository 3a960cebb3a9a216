"""Nothing but a gallery of made-up images, for the browser tests."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import Dot, Thresholds, Tile, encode_tile, gallery


@st.cache_resource
def tiles(
    count: int, kinds: int, names: Sequence[str], sizes: Sequence[Sequence[int]], mislabelled: Sequence[int]
) -> list[Tile]:
    made: list[Tile] = []
    for place in range(count):
        if place >= kinds:
            twin = made[place % kinds]
            made.append(replace(twin, key=f"part{place}", name=f"img_{place:04d}.png"))
            continue
        pixels, scores, score, truth = made_up.part(place)
        name = names[place] if place < len(names) else f"img_{place:04d}.png"
        label = "defect" if bool(truth) != (place in mislabelled) else "good"
        if sizes:
            height, width = sizes[place % len(sizes)]
            pixels, scores = pixels[:height, :width], scores[:height, :width]
        picture = encode_tile(pixels, scores, 3.42)
        made.append(Tile(f"part{place}", name, score, picture, label, truth))
    return made


def draw(
    state: dict[str, Any],
    key: str,
    *,
    count: int = 24,
    kinds: int | None = None,
    names: Sequence[str] = (),
    sizes: Sequence[Sequence[int]] = (),
    mislabelled: Sequence[int] = (),
    height: int = 640,
    tile_width: int = 170,
) -> None:
    """Draw `count` images, which repeat the first `kinds` of them.

    `sizes` are (height, width), one after the other; the images `mislabelled` get the other label.
    """
    reference = [
        Dot(f"good{at}", f"good/{at:03d}.png", score, "reference")
        for at, score in enumerate(made_up.good_scores())
    ]
    st.title("Inspect")
    log: list[list[object]] = state.setdefault("log", [])

    def moved(now: Thresholds) -> None:
        state["thresholds"] = now
        log.append([now.reject, None])

    gallery(
        tiles(count, kinds or count, tuple(names), tuple(map(tuple, sizes)), tuple(mislabelled)),
        state.setdefault("thresholds", Thresholds(3.42, 3.10)),
        key=key,
        reference=reference,
        height=height,
        tile_width=tile_width,
        on_thresholds=moved,
        on_opened=lambda opened: log.append([None, opened]),
    )
    state["runs"] = state.get("runs", 0) + 1
    st.text(f"runs {state['runs']}")
    st.text(f"events {json.dumps(log)}")
    st.text(f"selected {json.dumps(sorted(st.session_state[key].get('selected') or []))}")
