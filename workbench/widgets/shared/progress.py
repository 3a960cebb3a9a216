"""Bars that fill while a page works, and the share of the work that is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st


def share(done: int, total: int) -> float:
    """Return the share of the work that is done, 0 to 1; 0 as long as the total is not known."""
    return min(1.0, done / total) if total else 0.0


@contextmanager
def bar(text: str, words: Callable[[str], str] = str.capitalize) -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar while the block runs, and yield the function that moves it.

    Parameters
    ----------
    words
        Returns the text of a stage for the person in front of the page.
    """
    drawn = st.progress(0.0, text=text)

    def move(stage: str, done: int, total: int) -> None:
        drawn.progress(share(done, total), text=f"{words(stage)}, {done:,}/{total:,}")

    try:
        yield move
    finally:
        drawn.empty()
