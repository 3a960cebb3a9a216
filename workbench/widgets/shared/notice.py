"""What the last action on a page did, or why it could not be done: said once, or as long as a version stays in use."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import session

ONCE, OF_VERSION = "notice", "notice_of_version"  # in the session


def show() -> None:
    """Say what was done, and forget it."""
    kind, words = st.session_state.pop(ONCE, ("", ""))
    if words:
        (st.success if kind == "done" else st.error)(session.sentence(words))


def done(words: str) -> None:
    """Leave a sentence for the next run."""
    st.session_state[ONCE] = ("done", words)


def attempt(action: Callable[..., Any], *arguments: Any, said: str = "", **named: Any) -> bool:
    """Do something and leave word of it; what the package refuses on purpose is left as its sentence.

    Returns whether it was done.
    """
    try:
        action(session.workspace(), *arguments, **named)
    except PatchCoreError as error:
        st.session_state[ONCE] = ("refused", str(error))
        return False
    if said:
        done(said)
    return True


def answers(yes: str, no: str, key: str, action: Callable[..., None], *arguments: Any) -> None:
    """Draw both answers of a dialog, which either closes; `action` is called on the first."""
    with st.container(horizontal=True):
        if st.button(yes, type="primary", key=f"{key}_yes", on_click=action, args=arguments):
            st.rerun()
        if st.button(no, key=f"{key}_no"):
            st.rerun()


def leave(version: InspectorVersion, words: str) -> None:
    """Leave words to be shown while a version is in use."""
    st.session_state[OF_VERSION] = (version.id, version.patches, words)


def show_of(version: InspectorVersion) -> None:
    """Show what was left for this version."""
    left = st.session_state.get(OF_VERSION)
    if left is not None and left[:2] == (version.id, version.patches):
        st.success(session.sentence(left[2]))
