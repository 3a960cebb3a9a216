"""The way into a page: always by way of app.py, in every run and whatever address was asked for first."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

_RUNS = "app_runs"
APP = Path(__file__).resolve().parents[2] / "app.py"


@contextmanager
def app() -> Iterator[None]:
    """Note, while the block runs a page, that app.py does so and has let the person in."""
    runs = _runs()
    runs["now"] = True
    try:
        yield
    finally:
        runs["now"] = False  # in place: the session lets nobody in while a run is being stopped


def by_app() -> None:
    """Run app.py first when a page was run alone.

    Streamlit takes a folder named pages for its older kind of app until `st.navigation` has been called once in the
    life of the server. A link straight to a page that comes before that runs the page's script without app.py, which
    draws the sidebar and asks who is there.
    """
    if not _runs().get("now"):
        runpy.run_path(str(APP), run_name="__main__")
        st.stop()


def _runs() -> dict[str, bool]:
    runs: dict[str, bool] = st.session_state.setdefault(_RUNS, {})
    return runs
