"""What the last action on the page Library did, said once at its top; and why one could not be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.widgets import session

KEY = "library_notice"


def show() -> None:
    """Say what was done, and forget it."""
    kind, words = st.session_state.pop(KEY, ("", ""))
    if kind == "done":
        st.success(session.sentence(words))
    elif kind == "refused":
        st.error(session.sentence(words))


def done(words: str) -> None:
    """Leave a sentence for the next run."""
    st.session_state[KEY] = ("done", words)


def attempt(action: Callable[..., Any], *arguments: Any, said: str = "", **named: Any) -> bool:
    """Do something and leave word of it; what the package refuses on purpose is left as its sentence.

    Returns whether it was done.
    """
    try:
        action(session.workspace(), *arguments, **named)
    except PatchCoreError as error:
        st.session_state[KEY] = ("refused", str(error))
        return False
    if said:
        done(said)
    return True
