"""The revision of each inspector that a session has shown; a change that rests on an older one is refused in words.

A button acts before or while the page is redrawn, so the revisions that the previous run has shown count. A run that a
click cuts short has not shown everything and does not count.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from workbench.inspectors.versions import find_inspector
from workbench.storage.tables import Inspector
from workbench.widgets.shared import session

_SHOWN, _SHOWING, _REFUSED = "revisions_shown", "revisions_showing", "refused"


@contextmanager
def run() -> Iterator[None]:
    """Take the revisions that the block draws as shown to the person, once the page is complete."""
    # Both are changed in place below: the session is closed while a run is stopped.
    shown, showing = _shown(), _showing()
    for inspector_id, revision in showing.items():  # a first run that was cut short may have been visible
        shown.setdefault(inspector_id, revision)
    showing.clear()
    try:
        yield
    except BaseException as end:
        if type(end).__name__ == "StopException":  # st.stop(): the page ends here and is as it is meant to be
            shown.update(showing)
        raise
    shown.update(showing)


def note(inspector: Inspector) -> None:
    """Note the revision of an inspector that this run draws; the first counts where it is drawn twice."""
    _showing().setdefault(inspector.id, inspector.revision)


def revision_of(inspector_id: str | None) -> int | None:
    """Return the revision of an inspector that the person saw; None when it was not shown."""
    return None if inspector_id is None else _shown().get(inspector_id)


@contextmanager
def change(inspector_id: str) -> Iterator[int | None]:
    """Yield the revision that the person saw, for the ``seen=`` of the one change in the block.

    When somebody else was first, or the change is refused for another reason, the rest of the block is left out and
    a sentence above the page says so. The statement after the block, such as `st.rerun`, then draws the present state.
    """
    seen = _shown().get(inspector_id)
    with attempt():
        yield seen
        now = find_inspector(session.workspace(), inspector_id)
        if now is not None and seen is not None:
            _shown()[inspector_id] = min(now.revision, seen + 1)  # one's own change is no surprise


@contextmanager
def attempt() -> Iterator[None]:
    """Run a block that may be refused; a refusal ends it, and its sentence is shown above the page."""
    refused: list[str] = []
    with session.refusals(refused.append):
        yield
    if refused:
        st.session_state[_REFUSED] = refused[0]
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
    """Forget the sentence of a refusal."""
    st.session_state.pop(_REFUSED, None)


def _shown() -> dict[str, int]:
    return st.session_state.setdefault(_SHOWN, {})  # type: ignore[no-any-return]


def _showing() -> dict[str, int]:
    return st.session_state.setdefault(_SHOWING, {})  # type: ignore[no-any-return]
