"""Tune: decide where to draw the line, by a rule or by hand, while seeing what it does to every image that is known."""

import streamlit as st

from workbench.widgets import (
    batches,
    entry,
    point_history,
    sample,
    session,
    theme,
    tune_regions,
    tune_rules,
    tune_view,
)

entry.by_app()

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Tune", "Decide where to draw the line between accept and reject.")
    sample.nothing_yet("Tune")
    st.stop()

version = inspector.current
batch = batches.open_batch(inspector)
now = tune_view.decision(version, batch)

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
    tune_view.scores(now)
    tune_view.borderline(now)
with narrow:
    with st.container(border=True, key="panel_rules"):
        tune_rules.show(now)
    tune_view.effects(now)
    with st.container(border=True, key="panel_use"):
        tune_rules.use(now)
    point_history.show(version)

with st.container(border=True, key="panel_regions"):
    st.markdown("**Regions of a map**")
    tune_regions.show(now)

tune_view.follow_scoring(version, batch)
