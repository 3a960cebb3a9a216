"""An action that asks once more where there are reasons to."""

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.widgets.shared import notice, session


def ask(title: str, reasons: Sequence[str], action: Callable[[], None]) -> None:
    """Do an action and draw the page again; with reasons, only once a person who has read them agrees.

    Parameters
    ----------
    reasons
        A sentence each; without any, nobody is asked.
    """
    if not reasons:
        action()
        st.rerun()

    @st.dialog(title)
    def asked() -> None:
        for reason in reasons:
            st.warning(session.sentence(reason))
        notice.answers("Put it in force", "Leave it as it is", "confirm", action)

    asked()
