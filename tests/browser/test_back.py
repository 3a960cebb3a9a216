"""Back, Forward and reload in a real browser: each page stands once in the history, and comes back as it was."""

from __future__ import annotations

from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ready_page
from tests.browser.settled import settle, until
from tests.browser.test_history import HISTORY, PATIENCE, ROW
from tests.pages.prepared import prepare
from workbench.inspectors.versions import find_inspector
from workbench.storage.workspace import Workspace

PAGES = ("Inspect", "Review", "Tune", "Evaluate", "Library", "Build", "History")
SCROLLED = "() => document.querySelector('[data-testid=\"stMain\"]').scrollTop"
MAIN = "[data-testid='stMain']"


@pytest.fixture
def inspector(house) -> str:
    with closing(Workspace(house.workspace)) as workspace:
        known = find_inspector(workspace, HISTORY)
    if known is None:
        prepare(house.workspace, HISTORY)
    return HISTORY


def test_back_forward_and_reload_do_on_every_page_what_a_person_expects(house, open_page, inspector):
    page = ready_page(open_page(f"{house.url}/?inspector={inspector}", height=500), PATIENCE)
    at(page, "Home")
    addresses = [address(page)]
    began = entries(page)
    for name in PAGES:
        page.locator(".st-key-page_list").get_by_role("link", name=name, exact=True).click()
        at(page, name)
        addresses.append(address(page))
        assert (entries(page), f"inspector={inspector}" in addresses[-1]) == (
            began + len(addresses) - 1,
            True,
        )
    # Over a page something can be opened: that is a step of its own, and Back closes it.
    row = page.locator(ROW).first
    row.scroll_into_view_if_needed()
    page.locator(MAIN).hover()
    page.mouse.wheel(0, 300)
    until(page, lambda: page.evaluate(SCROLLED) > 100)
    page.wait_for_timeout(400)  # a position counts once the page stands still
    down = page.evaluate(SCROLLED)
    name = page.locator(ROW).nth(1).get_by_role("button").inner_text()
    page.locator(ROW).nth(1).get_by_role("button").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert entries(page) == began + len(addresses)
    page.go_back()
    expect(page.locator(ROW)).to_have_count(4)
    assert address(page) == addresses[-1]
    until(page, lambda: abs(page.evaluate(SCROLLED) - down) < 2)
    page.go_forward()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.go_back()
    expect(page.locator(ROW)).to_have_count(4)
    for place in reversed(range(len(PAGES))):
        page.go_back()
        at(page, ("Home", *PAGES)[place])
        assert address(page) == addresses[place]
    page.go_forward()
    at(page, PAGES[0])
    page.reload()
    at(page, PAGES[0])
    assert (address(page), entries(page)) == (addresses[1], began + len(addresses))


def at(page: Page, name: str) -> None:
    """Wait until a page is drawn and its address is complete."""
    expect(page).to_have_title(f"{name}, PatchCore inspection")
    settle(page)


def address(page: Page) -> str:
    return page.url.partition("//")[2].partition("/")[2]


def entries(page: Page) -> int:
    return page.evaluate("history.length")
