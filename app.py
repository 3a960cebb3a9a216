"""The dashboard's entry: the table of pages, the look, and the sidebar; every page is a script in pages/.

Streamlit reads this file twice: as the module of the server, which is `app`, and as the script of each run of a page.
"""

import streamlit as st

FULL_SCREEN = "show"  # the page without a sidebar


def run() -> None:
    """Draw the page that is asked for, for a person who may see it."""
    from workbench.viewer import kept_files
    from workbench.widgets.frame import sidebar, sign_in
    from workbench.widgets.shared import page_guard, revision_guard, session, theme

    pages = [
        st.Page("pages/home.py", title="Home", default=True),
        st.Page("pages/build.py", title="Build"),
        st.Page("pages/inspect.py", title="Inspect"),
        st.Page("pages/review.py", title="Review"),
        st.Page("pages/tune.py", title="Tune"),
        st.Page("pages/evaluate.py", title="Evaluate"),
        st.Page("pages/show.py", title="Show"),
        st.Page("pages/history.py", title="History"),
        st.Page("pages/library.py", title="Library"),
    ]
    with kept_files():  # before anything that a newer run could cut short
        page = st.navigation(pages, position="hidden")
        st.set_page_config(
            page_title=f"{page.title}, PatchCore inspection", page_icon=theme.ICON, layout="wide"
        )
        theme.apply()
        if sign_in.admit():
            with page_guard.app(), revision_guard.run(), session.page_errors():
                session.follow_address()
                if page.url_path != FULL_SCREEN:
                    sidebar.show(pages, page)
                revision_guard.show_refusal()
                page.run()


if __name__ == "__main__":
    run()
else:
    from workbench.widgets.frame import front

    app = st.App(__file__, middleware=front.middleware(), routes=front.routes())
