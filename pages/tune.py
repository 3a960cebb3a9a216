"""Tune: decide where to draw the line, by a rule or by hand, while seeing what it does to every image that is known."""

import streamlit as st

from workbench.widgets.inspect import batches
from workbench.widgets.shared import page_guard, sample, session, theme
from workbench.widgets.tune import overview, point_history, regions, rules

page_guard.by_app()

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Tune", "Decide where to draw the line between accept and reject.")
    sample.nothing_yet("Tune")
    st.stop()

version = inspector.current
batch = batches.open_batch(inspector)
now = overview.decision(version, batch)

with st.container(horizontal=True, vertical_alignment="center"):
    with st.container(width="stretch"):
        images = f"the good images and {batch.name}" if batch is not None else "the good images alone"
        theme.page_title(
            "Tune", f"Where to draw the line, by what is known from {images}. Nothing is scored again."
        )
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
    point_history.show(version)

with st.container(border=True, key="panel_regions"):
    st.markdown("**Regions of a map**")
    regions.show(now)

overview.follow_scoring(version, batch)
