"""A method in a real browser: chosen and built on the page Build."""

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ready_page
from tests.browser.settled import settle
from workbench.inspectors.versions import list_inspectors
from workbench.storage.workspace import Workspace

WASHER = Path(__file__).resolve().parents[2] / "sample_data" / "washer"
GOOD = 4  # images
PATIENCE = 120_000  # milliseconds; the machine may be busy
FIELD = {"PatchCore": "Largest bank", "PaDiM": "Dimensions drawn", "SPADE": "Nearest images"}
NAME = "Washer by SPADE"


@pytest.fixture
def good(tmp_path) -> Path:
    """A folder of a few good parts."""
    folder = tmp_path / "good"
    folder.mkdir()
    for path in sorted((WASHER / "train" / "good").iterdir())[:GOOD]:
        shutil.copy(path, folder)
    return folder


def test_a_method_is_chosen_and_built(house, open_page, good):
    """SPADE, by way of PaDiM; the default is built in test_journey.py, and each method in tests/pages."""
    page = ready_page(open_page(f"{house.url}/build"), PATIENCE)
    open_settings(page, good)
    for label in ("PaDiM", "SPADE"):
        choose(page, label)
    page.get_by_role("slider", name="Image size, px").press("Home")
    expect(page.locator(".pc-numbers", has_text="File, about")).to_contain_text("patches")
    expect(page.get_by_text(re.compile("about: PaDiM .* s, .* MB; PatchCore .* MB"))).to_be_visible()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.locator(".st-key-panel_result")).to_be_visible()
    expect(page.get_by_role("button", name="Inspect images")).to_be_visible()
    expect(page.locator(".pc-inspector").first).to_contain_text("SPADE")
    expect(page.get_by_role("slider", name="Bank size")).to_have_count(0)
    expect(page.get_by_text("SPADE keeps no coreset")).to_be_visible()
    with closing(Workspace(house.workspace)) as workspace:
        (built,) = (one.current for one in list_inspectors(workspace) if one.name == NAME)
    assert built.settings["method"] == "spade"


def open_settings(page: Page, good: Path) -> None:
    """Go through the steps before the settings."""
    page.get_by_role("textbox", name="Name of the inspector").fill(NAME)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(good)
    page.get_by_role("button", name=f"Use these {GOOD} images").click()
    expect(page.get_by_alt_text("network input")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Advanced").click()


def choose(page: Page, label: str) -> None:
    """Choose a method, and see its own fields alone."""
    settle(page)  # a run that is on its way would close the list again
    page.get_by_role("combobox", name=re.compile("Method")).click()
    page.get_by_role("option", name=re.compile(f"^{label}:")).click()
    expect(page.get_by_role("slider", name=FIELD[label])).to_be_visible()
    for other in FIELD.values():
        expect(page.get_by_role("slider", name=other)).to_have_count(int(other == FIELD[label]))
