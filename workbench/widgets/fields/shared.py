"""Fields whose value the page sets as well as the user, by dragging a line for instance.

With every click a browser sends the values of all fields it shows. A browser that has not yet heard of the page's
value sends the previous one, which would count as the user's choice and undo the page's. So a field gets another key
each time the page sets it, and values that still arrive under an earlier key are not read.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st


def draw(
    widget: Callable[..., Any],
    label: str,
    *options: Any,
    key: str,
    value: Any,
    on_change: Callable[[Any], None],
    **more: Any,
) -> None:
    """Draw a field that shows a value of the page.

    Parameters
    ----------
    widget
        A function of Streamlit such as `st.selectbox`; it is called with `label`, `options` and `more`.
    on_change
        Takes the value that the user has set, before the run that follows.
    """
    last, times = st.session_state.get(_shown(key), (value, 0))
    times += last != value
    st.session_state[_shown(key)] = (value, times)
    place = f"{key}:{times}" if times else key

    def changed() -> None:
        # A value of an earlier field of this key, which the page does not show any more, is not read.
        if st.session_state[_shown(key)][1] == times:
            st.session_state[_shown(key)] = (st.session_state[place], times)
            on_change(st.session_state[place])

    st.session_state[place] = value
    widget(label, *options, key=place, on_change=changed, **more)


def is_shown(key: str, value: object) -> bool:
    """Say in a callback whether a field of the page shows a value now.

    A field that is drawn only while another one holds a certain value asks for it. A browser that has not heard that
    such a field is gone still sends its value.
    """
    shown, _ = st.session_state.get(_shown(key), (None, 0))
    return bool(shown == value)


def _shown(key: str) -> str:
    return f"{key}:shown"
