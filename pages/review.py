"""Review: decide, one after the other, on the images that the inspector in use leaves to a person."""

import streamlit as st

from workbench.widgets.review import one_by_one, teaching_view
from workbench.widgets.shared import page_guard, sample, session, theme

page_guard.by_app()

inspector = session.inspector_in_use()
if inspector is None or inspector.current is None:
    theme.page_title("Review", "Decide on the images that the inspector leaves to a person.")
    sample.nothing_yet("Review")
    st.stop()

version = inspector.current
waiting = one_by_one.waiting(version)
theme.page_title("Review", one_by_one.left(waiting))
teaching_view.notice(version)
one_by_one.show(version, waiting)
