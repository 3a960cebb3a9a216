"""All three methods in a real browser: built on the page Build, two of them compared on the page Evaluate."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, opened, ready_page
from tests.browser.settled import settle
from workbench.inspections.batches import create_batch
from workbench.inspectors.versions import list_inspectors
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import Workspace

WASHER = Path(__file__).resolve().parents[2] / "sample_data" / "washer"
GOOD, TEST = 4, 2  # images
PATIENCE = 120_000  # milliseconds; the machine may be busy
FIELD = {"PatchCore": "Largest bank", "PaDiM": "Dimensions drawn", "SPADE": "Nearest images"}
NAMES = {label: f"Washer by {label}" for label in FIELD}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A folder of a few good parts."""
    folder = tmp_path_factory.mktemp("good")
    for path in sorted((WASHER / "train" / "good").iterdir())[:GOOD]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def workspace(house) -> Iterator[Workspace]:
    """The workspace of the server, for what the tests prepare and look up in it."""
    with closing(Workspace(house.workspace)) as found:
        yield found


@pytest.fixture(scope="module")
def watched(house, browser) -> Iterator[Watched]:
    found = opened(browser, f"{house.url}/build")
    yield found
    found.page.context.close()


@pytest.fixture
def page(watched) -> Iterator[Page]:
    """The page that all tests go on with; it stands on the page Build."""
    before = len(watched.errors)
    yield ready_page(watched, PATIENCE)
    assert not watched.errors[before:]


@pytest.mark.parametrize("label", FIELD)
def test_each_method_is_built(page, workspace, good, label):
    build(page, label, good)
    expect(page.locator(".pc-inspector").first).to_contain_text(label)
    has_slider = label == "PatchCore"
    expect(page.get_by_role("slider", name="Bank size")).to_have_count(int(has_slider))
    expect(page.get_by_text(f"{label} keeps no coreset")).to_have_count(int(not has_slider))
    assert found(workspace, label).settings["method"] == label.lower()
    page.get_by_role("button", name="Build another").click()


def test_two_methods_are_compared(house, page, workspace, good):
    for label in ("SPADE", "PaDiM"):
        if found(workspace, label) is None:  # this test runs alone
            build(page, label, good)
            page.get_by_role("button", name="Build another").click()
    spade, other = found(workspace, "SPADE"), found(workspace, "PaDiM")
    label_a_set(workspace, spade.inspector_id)
    page.goto(f"{house.url}/evaluate?inspector={spade.inspector_id}&view=Compare&other={other.id}")
    table = page.locator(".pc-compare")
    expect(table.locator("tr", has_text="Method")).to_contain_text("SPADEPaDiM")
    expect(table.locator("tr", has_text="Compared with")).to_contain_text(re.compile("patches.*positions"))
    expect(page.get_by_text(re.compile("Images on which they disagree"))).to_be_visible()


def found(workspace: Workspace, label: str) -> InspectorVersion | None:
    """Return what was built by a method."""
    return next((one.current for one in list_inspectors(workspace) if one.name == NAMES[label]), None)


def build(page: Page, label: str, good: Path) -> None:
    """Build by one method, with a small input."""
    page.get_by_role("textbox", name="Name of the inspector").fill(NAMES[label])
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(good)
    page.get_by_role("button", name=f"Use these {GOOD} images").click()
    expect(page.get_by_alt_text("network input")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Advanced").click()
    settle(page)  # a run that is on its way would close the list again
    page.get_by_role("combobox", name=re.compile("Method")).click()
    page.get_by_role("option", name=re.compile(f"^{label}:")).click()
    expect(page.get_by_role("slider", name=FIELD[label])).to_be_visible()
    for others in FIELD.values():
        expect(page.get_by_role("slider", name=others)).to_have_count(int(others == FIELD[label]))
    page.get_by_role("slider", name="Image size, px").press("Home")
    expect(page.locator(".pc-numbers", has_text="File, about")).to_contain_text(
        "positions" if label == "PaDiM" else "patches"
    )
    others = sorted(FIELD.keys() - {label})
    expect(page.get_by_text(re.compile(f"about: {others[0]} .* s, .* MB; {others[1]} .* MB"))).to_be_visible()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.locator(".st-key-panel_result")).to_be_visible()
    expect(page.get_by_role("button", name="Inspect images")).to_be_visible()


def label_a_set(workspace: Workspace, inspector_id: str) -> None:
    """Bring a few good and defective images whose truth is known."""
    images = []
    for kind in (
        "good",
        next(path.name for path in sorted((WASHER / "test").iterdir()) if path.name != "good"),
    ):
        for path in sorted((WASHER / "test" / kind).iterdir())[:TEST]:
            images.append(workspace.store_image(path, f"{kind}/{path.name}", truth=kind))
    create_batch(workspace, inspector_id, images, "Monday")
