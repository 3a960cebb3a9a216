"""A watched folder in a real browser: start the switch, drop a file, see its verdict; then another, without a click."""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.pages.prepared import prepare
from tests.pages.texts import WASHER
from workbench.storage.workspace import Workspace
from workbench.watching.standing import list_watches, stop_watch

PAINTED = ".tile.painted:not([hidden])"
PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture
def watched(house):
    """An inspector; whatever watches for it ends with the test, also when that fails."""
    prepare(house.workspace, "washer-watched")
    yield "washer-watched"
    with closing(Workspace(house.workspace)) as workspace:
        for state in list_watches(workspace):
            stop_watch(workspace, state.id)


def test_a_file_that_is_dropped_into_a_watched_folder_gets_its_verdict(house, open_page, watched, tmp_path):
    folder = tmp_path / "line 3"
    folder.mkdir()
    page = open_page(f"{house.url}/inspect?inspector={watched}").page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    expect(page.locator(PAINTED)).to_have_count(3)

    page.get_by_role("button", name="Watched folder").click()
    page.get_by_role("textbox", name="Folder on the computer that runs the dashboard").fill(str(folder))
    page.get_by_role("button", name="Start watching").click()
    panel = page.locator(".pc-watch")
    expect(panel).to_contain_text("● Watching")
    expect(page.locator(".pc-watches")).to_contain_text("line 3, 0 today")

    kinds = sorted(path for path in (WASHER / "test").iterdir() if path.name != "good")
    first, second = sorted(kinds[0].iterdir())[:2]
    shutil.copy(first, folder / "part 1.jpg")
    expect(panel).to_contain_text("last part 1.jpg")
    page.get_by_role("button", name="Show its images").click()
    expect(page.locator(".pc-title")).to_contain_text("Watched line 3")
    tile = page.locator(PAINTED)
    expect(tile).to_have_count(1)
    verdict = tile.get_attribute("data-verdict")
    expect(page.locator(".pc-watches")).to_contain_text("1 today")
    assert verdict in ("accept", "review", "reject")

    shutil.copy(second, folder / "part 2.jpg")
    expect(tile).to_have_count(2)  # it comes by itself
    page.get_by_role("button", name="Watched folder").click()
    expect(panel).to_contain_text("last part 2.jpg")
    page.get_by_role("button", name="Stop watching").click()
    expect(page.locator(".pc-watches")).to_have_count(0)
    expect(panel).to_have_count(0)
