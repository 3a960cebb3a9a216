"""The outcome of the last action on a page, in words: shown once, or as long as a version stays in use."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import streamlit as st

from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import session

ONCE, OF_VERSION = "notice", "notice_of_version"  # in the session
LINES_SHOWN = 200


def show() -> None:
    """Show the outcome of the last action, and forget it."""
    kind, words = st.session_state.pop(ONCE, ("", ""))
    if words:
        (st.success if kind == "done" else st.error)(session.sentence(words))


def done(words: str) -> None:
    """Leave a sentence for the next run."""
    st.session_state[ONCE] = ("done", words)


def attempt(action: Callable[..., Any], *arguments: Any, outcome: str = "", **named: Any) -> bool:
    """Run an action and leave its outcome, or the sentence of its refusal, for `show`; return whether it succeeded."""
    refused: list[str] = []
    with session.refusals(refused.append):
        action(session.workspace(), *arguments, **named)
    if refused:
        st.session_state[ONCE] = ("refused", refused[0])
        return False
    if outcome:
        done(outcome)
    return True


def folded(title: str, lines: Sequence[str]) -> None:
    """List sentences below a title that unfolds them; draw nothing where there is none."""
    if lines:
        with st.expander(title):
            st.markdown("\n".join(f"- {session.sentence(line)}" for line in lines[:LINES_SHOWN]))


def toasted_refusal() -> AbstractContextManager[None]:
    """Show a refusal as a toast: a callback cannot write on the page."""
    return session.refusals(lambda words: st.toast(session.sentence(words)))


def answers(yes: str, no: str, key: str, action: Callable[..., None], *arguments: Any) -> None:
    """Draw both answers of a dialog; either closes it, and the first calls `action`."""
    with st.container(horizontal=True):
        if st.button(yes, type="primary", key=f"{key}_yes", on_click=action, args=arguments):
            st.rerun()
        if st.button(no, key=f"{key}_no"):
            st.rerun()


def confirmed(
    title: str, reasons: Sequence[str], yes: str, no: str, action: Callable[[], None], more: str = ""
) -> None:
    """Do an action and draw the page again; with reasons against it, only once a person who has read them agrees.

    Parameters
    ----------
    reasons
        A sentence each; without any, nobody is asked.
    yes, no
        Both answers.
    more
        HTML that is shown below the reasons.
    """
    if not reasons:
        action()
        st.rerun()

    @st.dialog(title)
    def asked() -> None:
        for reason in reasons:
            st.warning(session.sentence(reason))
        if more:
            st.html(more)
        answers(yes, no, "confirm", action)

    asked()


def confirmed_in_force(found: Sequence[str], action: Callable[[], None]) -> None:
    """Put thresholds in force by `action`; with consequences found, only once a person who has read them agrees.

    Parameters
    ----------
    found
        From `workbench.tuning.consequences`.
    """
    confirmed("Put this threshold in force?", found, "Put it in force", "Leave it as it is", action)


def leave(version: InspectorVersion, words: str) -> None:
    """Leave words that are shown while a version is in use."""
    st.session_state[OF_VERSION] = (version.id, version.patches, words)


def show_of(version: InspectorVersion) -> None:
    """Show the words that were left for this version."""
    left = st.session_state.get(OF_VERSION)
    if left is not None and left[:2] == (version.id, version.patches):
        st.success(session.sentence(left[2]))
