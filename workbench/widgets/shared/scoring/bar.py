"""The bar of a page that waits for scores: how far, place in line, time left, Stop; a button before long work."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from workbench.inspections.background_scorer import ScoringState
from workbench.inspections.turns import rows
from workbench.inspections.turns.rows import Amount, Work
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import access, progress, revision_guard, session
from workbench.widgets.shared.scoring import deletion, words

POLL_SECONDS = 1.0
SHORT_SECONDS = 10.0  # work up to this long starts by itself


@dataclass(frozen=True)
class Purpose:
    """The words for the scoring that a page waits for.

    Attributes
    ----------
    doing
        In the bar: "Scoring".
    verb
        On the button: "Score".
    why
        A sentence beside the button: what the page shows afterwards.
    deletable
        Whether the page can delete the batch: it draws `deletion.panel`.
    """

    doing: str = "Scoring"
    verb: str = "Score"
    why: str = ""
    deletable: bool = False


def everything_scored(
    batches: Sequence[int], version: InspectorVersion, key: str, purpose: Purpose | None = None
) -> bool:
    """Return whether a version has scored whole batches; if not, draw the bar until it has, then redraw the page.

    Parameters
    ----------
    key
        Key of the bar's container, another one for every call on one page.
    """
    if not rows.amount(session.workspace(), [(one, version.id) for one in batches]).remaining:
        return True

    @session.fragment(run_every=POLL_SECONDS)
    def follow() -> None:
        if show(batches, version, key, purpose) == "done":
            st.rerun()

    with st.container(key=key):
        follow()
    return False


def show(batches: Sequence[int], version: InspectorVersion, key: str, purpose: Purpose | None = None) -> str:
    """Draw where the scoring of batches is; start it where it is short, and return its state's word, "done" at last."""
    here, purpose = session.workspace(), purpose or Purpose()
    works = [work for one in batches if rows.amount(here, [work := (one, version.id)]).remaining]
    if not works:
        return "done"
    amount = rows.amount(here, [(one, version.id) for one in batches])
    state = _state(works)
    if state.word == "idle":
        state = _begin(works, amount, key, purpose)
    if state.word == "failed":
        st.error(session.sentence(state.fault))
        _start_button("Try again", works, key)
    elif state.word == "stopped":
        _stopped(works, amount, key, purpose)
    elif state.word == "waiting":
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_bar"):
            text = session.sentence(words.line(purpose.doing, amount, state))
            st.progress(progress.share(amount.scored, amount.images), text=text, width="stretch")
            _stop_button(works, key)
        if state.fault:
            st.warning(session.sentence(f"{state.fault} Scoring then goes on by itself."))
    return state.word


def _state(works: Sequence[Work]) -> ScoringState:
    """Return the state of several batches together: one that needs a person comes first."""
    states = [session.scorer().state(*work) for work in works]
    for word in ("failed", "stopped"):
        for state in states:
            if state.word == word:
                return state
    waiting = [state for state in states if state.word == "waiting"]
    if not waiting:
        return ScoringState()
    left = [state.seconds_left for state in waiting]
    known = [seconds for seconds in left if seconds is not None]
    return ScoringState(
        "waiting",
        min(state.place for state in waiting),
        max(known) if len(known) == len(left) else None,
        all(state.trial for state in waiting),
        waiting[0].fault,
    )


def _begin(works: Sequence[Work], amount: Amount, key: str, purpose: Purpose) -> ScoringState:
    """Start what is short, measure the time of an image where it is unknown, and offer what is long."""
    scorer, here = session.scorer(), session.workspace()
    times = [scorer.seconds_for(*work, rows.amount(here, [work]).remaining) for work in works]
    known = [seconds for seconds in times if seconds is not None]
    if len(known) < len(times):
        for work, seconds in zip(works, times, strict=True):
            if seconds is None:
                scorer.measure(*work)
        return _state(works)
    if sum(known) <= SHORT_SECONDS:
        for work in works:
            scorer.want(*work)
        return _state(works)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_start"):
        _start_button(words.start(purpose.verb, amount.remaining, sum(known)), works, key, primary=True)
        if purpose.why:
            st.caption(purpose.why, width="stretch")
    return ScoringState()


def _stopped(works: Sequence[Work], amount: Amount, key: str, purpose: Purpose) -> None:
    seconds = session.scorer().seconds_for(*works[0], amount.remaining)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_stopped"):
        st.markdown(words.stopped(amount), width="content")
        label = "Continue" if seconds is None else f"Continue, about {words.about(seconds)}"
        _start_button(label, works, key)
        if purpose.deletable:
            deletion.button(works[0][0], f"{key}_delete")


def _start_button(label: str, works: Sequence[Work], key: str, *, primary: bool = False) -> None:
    if access.button(label, Role.OPERATE, key=f"{key}_go", type="primary" if primary else "secondary"):
        with revision_guard.attempt():
            for work in works:
                session.scorer().start(*work)
        st.rerun()


def _stop_button(works: Sequence[Work], key: str) -> None:
    if access.button("Stop", Role.OPERATE, key=f"{key}_halt", help="What is scored stays."):
        with revision_guard.attempt():
            for work in works:
                session.scorer().halt(*work)
        st.rerun()
