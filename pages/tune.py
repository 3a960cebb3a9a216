"""Tune: decide where to draw the line, by a rule or by hand, while seeing the verdict on every known image."""

import streamlit as st

from workbench.widgets.inspect import batches
from workbench.widgets.shared import page_guard, sample, theme
from workbench.widgets.tune import overview, point_history, regions, rules

page_guard.by_app()

inspector, version = sample.inspector_or_stop(
    "Tune", "Decide where to draw the line between accept and reject."
)
batch = batches.open_batch(inspector)
now = overview.decision(version, batch)

images = f"the good images and {batch.name}" if batch is not None else "the good images alone"
with theme.page_head("Tune", f"Where to draw the line, judged on {images}. Nothing is scored again."):
    if batch is not None:
        batches.choose(inspector, batch)

wide, narrow = st.columns([2, 1], gap="medium")
with wide:
    overview.scores(now)
    overview.borderline(now)
with narrow:
    with st.container(border=True, key="panel_rules"):
        rules.show(now)
    overview.effects(now)
    with st.container(border=True, key="panel_use"):
        rules.use(now)
    point_history.show(version, now.known)

with st.container(border=True, key="panel_regions"):
    st.markdown("**Regions of a map**")
    regions.show(now)

overview.follow_scoring(version, batch)
