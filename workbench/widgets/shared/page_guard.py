"""The way into a page: every run goes through app.py, also when a page's own address was asked for first."""

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

APP = Path(__file__).resolve().parents[3] / "app.py"

# Of this run alone: while a click ends one run, the next may have begun in a thread of its own.
_by_app: ContextVar[bool] = ContextVar("by_app", default=False)


@contextmanager
def app() -> Iterator[None]:
    """Note, while the block runs a page, that app.py does so and has let the person in."""
    token = _by_app.set(True)
    try:
        yield
    finally:
        _by_app.reset(token)


def by_app() -> None:
    """Run app.py first when a page was run alone.

    Streamlit takes a folder named pages for its older kind of app until `st.navigation` has been called once in the
    life of the server. A link straight to a page that comes before that runs the page's script without app.py, which
    draws the sidebar and asks who is there.
    """
    if not _by_app.get():
        runpy.run_path(str(APP), run_name="__main__")
        st.stop()
