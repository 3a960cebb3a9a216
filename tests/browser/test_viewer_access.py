"""No serious barrier in any viewer, by axe-core, in both themes."""

import pytest

from tests.browser.settled import settle

COMPONENT = "[data-testid=stBidiComponentIsolated]"
READY = {"gallery": ".tile.painted", "detail": ".viewer[data-ready]", "roi": ".viewer[data-ready]"}
PARAMETERS = {"roi": {"file": "access"}}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("use", READY)
def test_no_serious_barriers(draw, find_barriers, use, dark):
    page = draw(use, dark=dark, **PARAMETERS.get(use, {})).page
    page.locator(READY[use]).first.wait_for(state="attached", timeout=60_000)
    settle(page, milliseconds=300)
    assert find_barriers(page, COMPONENT) == []


def test_the_check_sees_into_the_viewer(draw, find_barriers):
    page = draw("roi", **PARAMETERS["roi"]).page
    page.locator(".viewer[data-ready]").wait_for(state="attached", timeout=60_000)
    page.locator(".viewer").evaluate("viewer => viewer.append(document.createElement('button'))")
    assert any("button-name" in finding for finding in find_barriers(page, COMPONENT))
