"""Waiting until a page has taken in what was done to it."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
STILL = """(milliseconds) => {
  const now = performance.now();
  if (document.querySelector('.stApp')?.dataset.testScriptState !== 'notRunning') window.stillSince = now;
  return now - (window.stillSince ??= now) > milliseconds;
}"""


def settle(page: Page, timeout: float | None = None, *, milliseconds: int = 500) -> None:
    """Wait until no script has run for a while: a run asked for by a key or a click does not start at once."""
    page.evaluate("() => { window.stillSince = undefined; }")
    # Playwright's own way asks in each frame, and keeps the page painting.
    page.wait_for_function(STILL, arg=milliseconds, timeout=timeout, polling=50)


def next_frames(page: Page) -> None:
    """Wait until the browser has painted what was done to the page."""
    page.evaluate(FRAMES)


def until(page: Page, holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until something holds that only Python can tell; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "what was waited for has not come"
        page.wait_for_timeout(50)
