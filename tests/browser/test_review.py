"""The review queue in a real browser, worked through by keyboard alone, and teaching what was called fine."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.browser.conftest import findings_in_both_themes
from tests.browser.settled import settle
from tests.pages.prepared import prepare
from workbench.inspections.batches import list_batches, list_results
from workbench.inspectors.versions import find_inspector, list_versions, set_operating_point
from workbench.storage.workspace import Workspace

REVIEWED = "washer-review"
PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture(scope="module")
def root(house):
    """A workspace in which the three test images of an inspector are in the review band."""
    workspace = Workspace(prepare(house.workspace, REVIEWED))
    version = find_inspector(workspace, REVIEWED).current
    scores = [one.score for one in stored(workspace)]
    low, high = 0.9 * min(scores), 1.1 * max(scores)
    rules = {"rule": Choice("by_hand", {"value": high}), "accept_rule": Choice("by_hand", {"value": low})}
    point = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(workspace, version, replace(point, accept=low, reject=high, **rules))
    workspace.close()
    return workspace.root


def stored(workspace):
    first = min(list_versions(workspace, REVIEWED), key=lambda version: version.number)
    results = list_results(workspace, list_batches(workspace, REVIEWED)[0].id, first.id)
    return [one for one in results if one.score is not None]


def truths(root):
    workspace = Workspace(root)
    found = sorted(one.image.truth or "" for one in stored(workspace))
    version = find_inspector(workspace, REVIEWED).current.number
    workspace.close()
    return found, version


def test_the_queue_is_worked_through_by_keyboard(house, open_page, root, find_barriers):
    page = opened(house, open_page)
    assert findings_in_both_themes(page) == []
    name = page.locator(".detail-viewer h2")
    first = name.inner_text()
    expect(page.locator(".pc-title")).to_contain_text("3 images left")

    press(page, "ArrowRight")
    expect(name).not_to_have_text(first)
    second = name.inner_text()
    in_the_viewer(page, second)
    press(page, "ArrowLeft")
    expect(name).to_have_text(first)
    press(page, "s")  # the first comes last from now on
    expect(name).to_have_text(second)
    press(page, "d")
    expect(page.locator(".pc-title")).to_contain_text("2 images left")
    assert truths(root) == (["", "", "defect"], 1)
    press(page, "u")
    expect(page.locator(".pc-title")).to_contain_text("3 images left")
    expect(name).to_have_text(second)
    assert truths(root) == (["", "", ""], 1)
    press(page, "d")
    expect(page.locator(".pc-title")).to_contain_text("2 images left")
    press(page, "f")
    expect(page.locator(".pc-title")).to_contain_text("1 image left")
    press(page, "f")
    expect(page.locator(".pc-title")).to_contain_text("Nothing waits for a decision")
    assert truths(root) == (["defect", "good", "good"], 1)

    by_keyboard(page, "Teach the 2 images you called fine")
    expect(page.locator(".pc-teach")).to_contain_text("Patches in the bank")
    assert find_barriers(page) == []
    assert truths(root)[1] == 1  # nothing is stored yet
    by_keyboard(page, "Teach")
    expect(page.get_by_text(re.compile("Version 2 was taught"))).to_be_visible()
    assert truths(root) == (["defect", "good", "good"], 2)
    by_keyboard(page, "Undo teaching")
    expect(page.get_by_role("button", name="Teach the 2 images you called fine")).to_be_visible()
    assert truths(root) == (["defect", "good", "good"], 1)


def opened(house, open_page) -> Page:
    page = open_page(f"{house.url}/review?inspector={REVIEWED}").page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.locator(".detail-viewer[data-ready]").wait_for()
    settle(page)
    return page


def press(page: Page, key: str) -> None:
    settle(page)
    page.keyboard.press(key)


def in_the_viewer(page: Page, shown: str) -> None:
    """Arrow keys that move the zoomed picture or its opacity turn no page."""
    settle(page)
    for part in (page.locator(".detail-viewer canvas").first, page.get_by_role("slider", name="Opacity")):
        part.focus()
        page.keyboard.press("+")
        page.keyboard.press("ArrowLeft")
        settle(page)
        expect(page.locator(".detail-viewer h2")).to_have_text(shown)
    part.blur()


def by_keyboard(page: Page, label: str) -> None:
    """Reach a button by the Tab key and press it."""
    button = page.get_by_role("button", name=label, exact=True)
    button.wait_for()
    settle(page)
    for _ in range(60):
        if button.evaluate("(one) => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The Tab key does not reach {label}.")
