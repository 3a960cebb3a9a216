"""The dashboard's entry: the table of pages, the look, and the sidebar; every page is a script in pages/."""

import streamlit as st

from workbench.viewer import kept_files
from workbench.widgets import entry, seen, session, sidebar, sign_in, theme

PAGES = [
    st.Page("pages/home.py", title="Home", default=True),
    st.Page("pages/build.py", title="Build"),
    st.Page("pages/inspect.py", title="Inspect"),
    st.Page("pages/review.py", title="Review"),
    st.Page("pages/tune.py", title="Tune"),
    st.Page("pages/evaluate.py", title="Evaluate"),
    st.Page("pages/history.py", title="History"),
    st.Page("pages/library.py", title="Library"),
]

with kept_files():  # before anything that a newer run could cut short
    page = st.navigation(PAGES, position="hidden")
    st.set_page_config(page_title=f"{page.title}, PatchCore inspection", page_icon=theme.ICON, layout="wide")
    theme.apply()
    if sign_in.admit():
        with entry.app(), seen.run(), session.plain_errors():
            sidebar.show(PAGES, page)
            seen.show_refusal()
            page.run()
