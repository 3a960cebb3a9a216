"""The way into a page: always by way of app.py, also for the first address that a fresh server is asked for."""

from __future__ import annotations

import runpy
from pathlib import Path

import streamlit as st

APP = Path(__file__).resolve().parents[2] / "app.py"


def mark(admitted: bool) -> None:
    """Note that app.py has run and whether it lets pages be drawn; it calls this before it runs one."""
    st.session_state["entered"] = admitted


def by_app() -> None:
    """Run app.py first when a page was run alone.

    Streamlit takes a folder named pages for its older kind of app until `st.navigation` has been called once in the
    life of the server. A link straight to a page that comes before that runs the page's script without app.py.
    """
    if not st.session_state.get("entered"):
        runpy.run_path(str(APP), run_name="__main__")
        st.stop()
