"""Bars that fill while a page works, and the share of the work that is done."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from workbench.tuning.map_peaks import StoredMap, lost_maps, measuring
from workbench.widgets.shared import session

POLL_SECONDS = 0.5
NAMED = 3  # images in a sentence
SECONDS_BETWEEN = 0.1  # of two moves of a bar


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
    drawn, moved = st.progress(0.0, text=text), time.monotonic()

    def move(stage: str, done: int, total: int) -> None:
        nonlocal moved
        now = time.monotonic()
        # Each move is a message to the browser, and a function with a cache sends all of them again at each later call.
        if now - moved >= SECONDS_BETWEEN:
            drawn.progress(share(done, total), text=f"{words(stage)}, {done:,}/{total:,}")
            moved = now

    try:
        yield move
    finally:
        drawn.empty()


def lost_words(names: Sequence[str]) -> str:
    """Return a sentence on images whose stored map is gone or damaged; "" without any."""
    if not names:
        return ""
    others = f" and of {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    subject = "The stored map" if len(names) == 1 else "The stored maps"
    be = "is" if len(names) == 1 else "are"
    return (
        f"{subject} of {', '.join(names[:NAMED])}{others} {be} damaged or gone: no heat is shown, and the score alone "
        "counts there. python -m workbench check --repair makes room for a new one; then have the batch scored again."
    )


def wait_for_regions(maps: Iterable[StoredMap | None], min_area: int) -> bool:
    """Have the regions of many maps measured in the background, and draw how far that is, or which maps are lost.

    Returns
    -------
    Whether the page has to wait: verdicts by regions are not known yet. The page is redrawn once they are.
    """
    wanted = [one for one in maps if one is not None]
    if measuring.want(wanted, min_area) is None:
        if words := lost_words(lost_maps(wanted, min_area)):
            st.warning(session.sentence(words))
        return False

    @session.fragment(run_every=POLL_SECONDS)
    def follow() -> None:
        left = measuring.want(wanted, min_area)
        if left is None:
            st.rerun()
        text = f"Measuring the regions of {left.total:,} maps, {left.done:,}/{left.total:,}"
        st.progress(share(left.done, left.total), text=text)

    follow()
    return True
