"""The buttons that lead to the page Show."""

import streamlit as st

from workbench.widgets.shared import session

PAGE = "pages/show.py"
BACK = "back"  # in the address: the page that Escape leads back to


def button(inspector_id: str, back: str, batch_id: int | None = None) -> None:
    """Offer to show an inspector, full screen.

    Parameters
    ----------
    back
        The page that the button stands on: home, inspect or evaluate.
    batch_id
        The batch whose parts are shown; without one, the one that was open last.
    """
    if st.button("Show", key=f"show_{inspector_id}", help="Full screen, for people who were not in the room"):
        batch = {} if batch_id is None else {"batch": batch_id}
        session.open_page(PAGE, inspector=inspector_id, **{BACK: back}, **batch)
