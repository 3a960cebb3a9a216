"""A real Chromium and the dashboard's server, as the browser tests start them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.conftest import CHROMIUM_ARGUMENTS, ServerPool


@contextmanager
def chromium() -> Iterator[tuple[Browser, ServerPool]]:
    """Yield a browser and a starter of servers; the pool's folder holds their workspaces and is deleted at the end."""
    program = find_chromium()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        servers = ServerPool(Path(folder))
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        try:
            yield browser, servers
        finally:
            browser.close()
            servers.stop()
