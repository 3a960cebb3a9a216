"""Waiting until a Streamlit page has taken in what was done to it."""

from __future__ import annotations

from playwright.sync_api import Page

STILL = """(milliseconds) => {
  const now = performance.now();
  if (document.querySelector('.stApp')?.dataset.testScriptState !== 'notRunning') window.stillSince = now;
  return now - (window.stillSince ??= now) > milliseconds;
}"""


def settle(page: Page, timeout: float | None = None, *, milliseconds: int = 500) -> None:
    """Wait until no script has run for a while: a run asked for by a key or a click does not start at once."""
    page.evaluate("() => { window.stillSince = undefined; }")
    page.wait_for_function(STILL, arg=milliseconds, timeout=timeout)
