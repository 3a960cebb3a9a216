"""The editor of the region of interest, for the browser tests; what is drawn lies beside the server's workspace."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import RoiImage, Shape, roi_editor


def draw(
    state: dict[str, Any],
    key: str,
    *,
    file: str,
    stored: bool = False,
    mask: bool = False,
    resettable: bool = False,
) -> None:
    """Draw the editor: empty, of what `file` holds, of a mask, or of what the page gives back."""
    kept = Path(os.environ["PATCHCORE_WORKSPACE"]) / f"{file}.json"
    images = [
        RoiImage(f"good{at}", f"good/{at:03d}.png", lambda at=at: made_up.part(at, 400).pixels[:300])
        for at in range(1, 5)
    ]
    initial: Any = None
    if stored:
        initial = [Shape.from_dict(shape) for shape in json.loads(kept.read_text(encoding="utf-8"))]
    elif mask:
        initial = np.zeros((300, 400), dtype=bool)
        initial[50:250, 100:300] = True
    st.title("Region of interest")
    if resettable:
        initial = state.get("shapes", ())
        st.button("Reset", on_click=lambda: state.update(shapes=()))
        st.button("Rerun")
    drawing = roi_editor(
        images, key=key, initial=initial, on_change=lambda drawn: state.update(shapes=drawn.shapes)
    )
    inside = drawing.mask
    if drawing.shapes:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps([shape.to_dict() for shape in drawing.shapes]), encoding="utf-8")
        np.save(kept.with_suffix(".npy"), inside)
    st.text(f"inside {'all' if inside is None else int(inside.sum())}")
    state["runs"] = state.get("runs", 0) + 1
    st.text(f"runs {state['runs']}")
