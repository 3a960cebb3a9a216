"""Review: decide, one after the other, on the images that the inspector in use leaves to a person."""

import streamlit as st

from workbench.widgets import entry, review_view, sample, session, teaching_view, theme

entry.by_app()

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Review", "Decide on the images that the inspector leaves to a person.")
    sample.nothing_yet("Review")
    st.stop()

version = inspector.current
queue = review_view.waiting(version)
theme.page_title("Review", review_view.left(queue))
teaching_view.notice(version)
review_view.show(version, queue)
