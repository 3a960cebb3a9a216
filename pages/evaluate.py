"""Evaluate: how well the inspector tells defects from good parts, what a smaller bank would cost, and a report."""

import streamlit as st

from workbench.widgets.evaluate import labelled_set, views
from workbench.widgets.shared import page_guard, sample, session, theme, wording

page_guard.by_app()

EXPLANATION = "How well defects are told from good parts, on images whose truth is known."

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Evaluate", EXPLANATION)
    sample.nothing_yet("Evaluate")
    st.stop()

version = inspector.current
batch = labelled_set.in_use(inspector)
if batch is None:
    theme.page_title("Evaluate", EXPLANATION)
    labelled_set.nothing_yet(inspector)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    with st.container(width="stretch"):
        known = labelled_set.known_words(batch)
        theme.page_title("Evaluate", f"{batch.name}, {known}, bank {wording.share(version.share)}")
    labelled_set.choose(inspector, batch)
    with st.popover("Bring a labelled set", width="content"):
        labelled_set.bring(inspector)
labelled_set.show_problems(batch)
views.show(inspector, version, batch)
