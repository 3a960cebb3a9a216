"""A page with the editor of the region of interest, for the browser tests."""

import json
import os
from pathlib import Path

import numpy as np
import streamlit as st

from tests.browser.apps import made_up
from workbench.viewer import RoiImage, Shape, roi_editor

st.set_page_config(layout="wide", page_title="Region of interest")
saved = Path(os.environ["PATCHCORE_WORKSPACE"]) / "roi.json"
images = [
    RoiImage(f"good{at}", f"good/{at:03d}.png", lambda at=at: made_up.part(at, 400).pixels[:300])
    for at in range(1, 5)
]
initial = None
if saved.exists() and "reload" in st.query_params:
    initial = [Shape.from_dict(shape) for shape in json.loads(saved.read_text(encoding="utf-8"))]
elif "mask" in st.query_params:
    initial = np.zeros((300, 400), dtype=bool)
    initial[50:250, 100:300] = True
st.title("Region of interest")
if "resettable" in st.query_params:
    initial = st.session_state.get("shapes", ())
    st.button("Reset", on_click=lambda: st.session_state.update(shapes=()))
    st.button("Rerun")
drawing = roi_editor(
    images,
    key="roi",
    initial=initial,
    on_change=lambda drawn: st.session_state.update(shapes=drawn.shapes),
)
mask = drawing.mask
if drawing.shapes:
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text(json.dumps([shape.to_dict() for shape in drawing.shapes]), encoding="utf-8")
    np.save(saved.with_suffix(".npy"), mask)
st.text(f"inside {'all' if mask is None else int(mask.sum())}")
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.text(f"runs {st.session_state.runs}")
