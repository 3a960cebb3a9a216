"""Fields whose value the page sets as well as the user, by dragging a line for instance.

With every click a browser sends the values of all fields it shows. One that has not yet heard of the page's value
sends the value before, which would count as the user's choice and undo the page's. So a field that the page sets is
another field from then on: what is still said of the one before is no longer asked for.
"""

import streamlit as st


def place_of(key: str, value: object) -> str:
    """Return the Streamlit key for a field that is to show a value."""
    last, times = st.session_state.get(_shown(key), (value, 0))
    if last != value:
        times += 1
    st.session_state[_shown(key)] = (value, times)
    return _place(key, times)


def is_heard(key: str, place: str) -> bool:
    """Say in a field's callback whether it is the one on the page now; if so, what it holds is the user's doing."""
    _, times = st.session_state[_shown(key)]
    if place != _place(key, times):
        return False
    st.session_state[_shown(key)] = (st.session_state[place], times)
    return True


def is_shown(key: str, value: object) -> bool:
    """Say in a callback whether a field of the page shows a value now.

    Fields that are there only while another holds a certain value ask for it: a browser that has not heard that they
    are gone still sends them.
    """
    shown, _ = st.session_state.get(_shown(key), (None, 0))
    return bool(shown == value)


def _place(key: str, times: int) -> str:
    return f"{key}:{times}" if times else key


def _shown(key: str) -> str:
    return f"{key}:shown"
