"""What a session was shown of each inspector, and changes made on that: who was overtaken is told, not obeyed.

A button acts before or while the page is drawn anew, so what counts is what the run before has shown. A run that a
click cuts short, or that draws again of itself, has not shown everything and does not count.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from patchcore.errors import PatchCoreError
from workbench.inspectors.versions import find_inspector
from workbench.storage.tables import Inspector
from workbench.widgets.shared import session

_SHOWN, _SHOWING, _REFUSED = "revisions_shown", "revisions_showing", "refused"


@contextmanager
def run() -> Iterator[None]:
    """Take what the block draws for what the person sees, once it is wholly there."""
    shown, showing = (
        _shown(),
        _showing(),
    )  # changed in place below: the session is closed while a run is stopped
    for inspector_id, revision in showing.items():
        shown.setdefault(
            inspector_id, revision
        )  # a first run that was cut short: what it drew may have been seen
    showing.clear()
    try:
        yield
    except BaseException as end:
        if type(end).__name__ == "StopException":  # st.stop(): the page ends here and is as it is meant to be
            shown.update(showing)
        raise
    shown.update(showing)


def note(inspector: Inspector) -> None:
    """Note that the run draws an inspector as it is now; when it does so twice, the first look counts."""
    _showing().setdefault(inspector.id, inspector.revision)


def everything_is_drawn() -> None:
    """Say that the page is there to be seen, as one does that goes on only to draw itself again later."""
    _shown().update(_showing())


def revision_of(inspector_id: str | None) -> int | None:
    """Return the revision of an inspector that the person saw; None when it was not shown."""
    return None if inspector_id is None else _shown().get(inspector_id)


@contextmanager
def change(inspector_id: str) -> Iterator[int | None]:
    """Yield the revision that the person saw, for the ``seen=`` of the one change in the block.

    When somebody else was first, or it is refused for another reason, the rest of the block is left out and a
    sentence says so above the page; what follows the block, such as `st.rerun`, then draws the present state.
    """
    seen = _shown().get(inspector_id)
    with attempt():
        yield seen
        now = find_inspector(session.workspace(), inspector_id)
        if now is not None and seen is not None:
            _shown()[inspector_id] = min(now.revision, seen + 1)  # one's own change is no surprise


@contextmanager
def attempt() -> Iterator[None]:
    """Do what may be refused; the sentence is then shown above the page and the rest of the block left out."""
    try:
        yield
    except PatchCoreError as refused:
        st.session_state[_REFUSED] = str(refused)
    else:
        forget_refusal()


def show_refusal() -> None:
    """Draw why the last change was not made, until somebody closes it or a change succeeds."""
    words = st.session_state.get(_REFUSED)
    if words:
        with st.container(horizontal=True, vertical_alignment="center", key="refusal"):
            st.warning(session.sentence(words), width="stretch")
            st.button("Close", key="close_refusal", on_click=forget_refusal)


def forget_refusal() -> None:
    """Let the sentence go."""
    st.session_state.pop(_REFUSED, None)


def _shown() -> dict[str, int]:
    shown: dict[str, int] = st.session_state.setdefault(_SHOWN, {})
    return shown


def _showing() -> dict[str, int]:
    showing: dict[str, int] = st.session_state.setdefault(_SHOWING, {})
    return showing
