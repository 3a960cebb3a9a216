"""Evaluate: how well the inspector tells defects from good parts, measures of smaller banks, and a report."""

import streamlit as st

from workbench.widgets.evaluate import audit, labelled_set, views
from workbench.widgets.shared import page_guard, sample, session, theme, wording
from workbench.widgets.shared.scoring import deletion
from workbench.widgets.show import entry

page_guard.by_app()

EXPLANATION = "How well defects are told from good parts, on images whose truth is known."

inspector, version = sample.inspector_or_stop("Evaluate", EXPLANATION)
batch = labelled_set.in_use(inspector)
if batch is None:
    theme.page_title("Evaluate", EXPLANATION)
    if session.chosen("view") == views.GOOD_IMAGES:  # the audit needs no labelled set
        audit.show(inspector, version)
    labelled_set.nothing_yet(inspector)
    st.stop()

counts = labelled_set.counts_words(batch)
with theme.page_head("Evaluate", f"{batch.name}, {counts}, {wording.method_and_share(version)}"):
    labelled_set.choose(inspector, batch)
    with st.popover("Bring a labelled set", width="content", key=labelled_set.popover_key()):
        labelled_set.bring(inspector)
    entry.button(inspector.id, "evaluate", batch.id)
    deletion.button(batch.id, "delete_batch")
deletion.panel(batch)
labelled_set.ask_waiting(inspector)
labelled_set.show_reading(batch)
views.show(inspector, version, batch)
