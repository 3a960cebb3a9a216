"""No serious barrier on the pages that have something to show, by axe-core; the empty ones are in `test_journey`."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import findings_in_both_themes, ready_page
from tests.browser.settled import settle
from tests.pages.prepared import prepare

PATIENCE = 120_000  # milliseconds; the machine may be busy
SHOWN = "washer-shown"


def test_full_pages(house, open_page):
    prepare(house.workspace, SHOWN)
    page = ready_page(open_page(f"{house.url}/inspect?inspector={SHOWN}"), PATIENCE)
    assert barriers(page, ".tile.painted") == []
    page.locator(".tile.painted").first.click()
    assert barriers(page, ".detail-viewer[data-ready]") == []
    page.get_by_role("link", name="Home").click()
    assert barriers(page, ".pc-card") == []


def barriers(page: Page, ready: str) -> list[str]:
    page.locator(ready).first.wait_for(state="attached")
    settle(page)
    return findings_in_both_themes(page)
