"""No serious barrier in any viewer, by axe-core, in both themes."""

import pytest

COMPONENT = "[data-testid=stBidiComponentIsolated]"
READY = {"gallery": ".tile.painted", "detail": ".viewer[data-ready]", "roi": ".viewer[data-ready]"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("use", READY)
def test_no_serious_barriers(serve, open_page, find_barriers, use, dark):
    page = open_page(serve(f"tests/browser/apps/viewer_{use}.py").url, dark=dark).page
    page.locator(READY[use]).first.wait_for(state="attached", timeout=60_000)
    page.wait_for_timeout(300)
    assert find_barriers(page, COMPONENT) == []


def test_the_check_sees_into_the_viewer(serve, open_page, find_barriers):
    page = open_page(serve("tests/browser/apps/viewer_roi.py").url).page
    page.locator(".viewer[data-ready]").wait_for(state="attached", timeout=60_000)
    page.locator(".viewer").evaluate("viewer => viewer.append(document.createElement('button'))")
    assert any("button-name" in finding for finding in find_barriers(page, COMPONENT))
