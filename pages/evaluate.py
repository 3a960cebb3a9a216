"""Evaluate: how well the inspector tells defects from good parts, what a smaller bank would cost, and a report."""

import streamlit as st

from workbench.widgets import entry, evaluate_set, evaluate_view, sample, session, theme, wording

entry.by_app()

EXPLANATION = "How well defects are told from good parts, on images whose truth is known."

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Evaluate", EXPLANATION)
    sample.nothing_yet("Evaluate")
    st.stop()

version = inspector.current
batch = evaluate_set.in_use(inspector)
if batch is None:
    theme.page_title("Evaluate", EXPLANATION)
    evaluate_set.nothing_yet(inspector)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    with st.container(width="stretch"):
        known = evaluate_set.known_words(batch)
        theme.page_title("Evaluate", f"{batch.name}, {known}, bank {wording.share(version.share)}")
    evaluate_set.choose(inspector, batch)
    with st.popover("Bring a labelled set", width="content"):
        evaluate_set.bring(inspector)
evaluate_set.show_problems(batch)
evaluate_view.show(inspector, version, batch)
