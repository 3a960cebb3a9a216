"""What has just been changed from the page Evaluate, said until the version in use is another one."""

from __future__ import annotations

import streamlit as st

from workbench.tables import InspectorVersion
from workbench.widgets import session

KEY = "evaluate_notice"


def leave(version: InspectorVersion, words: str) -> None:
    """Leave words to be shown while a version is in use."""
    st.session_state[KEY] = (version.id, version.patches, words)


def show(version: InspectorVersion) -> None:
    """Show what was left for this version."""
    left = st.session_state.get(KEY)
    if left is not None and left[:2] == (version.id, version.patches):
        st.success(session.sentence(left[2]))
