"""All three methods in a real browser: built on the page Build, two of them compared on the page Evaluate."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.settled import settle
from workbench.inspections.batches import create_batch
from workbench.inspectors.versions import list_inspectors
from workbench.storage.workspace import Workspace

WASHER = Path(__file__).resolve().parents[2] / "sample_data" / "washer"
GOOD, TEST = 4, 2  # images
PATIENCE = 120_000  # milliseconds; the machine may be busy
FIELD = {"PatchCore": "Largest bank", "PaDiM": "Dimensions drawn", "SPADE": "Nearest images"}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A folder of a few good parts."""
    folder = tmp_path_factory.mktemp("good")
    for path in sorted((WASHER / "train" / "good").iterdir())[:GOOD]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def workspace(serve) -> Iterator[Workspace]:
    """The workspace of the server, for what the test prepares and looks up in it."""
    with closing(Workspace(serve("app.py").workspace)) as found:
        yield found


def test_all_methods_are_built_and_two_are_compared(serve, open_page, workspace, good):
    server = serve("app.py")
    page = open_page(f"{server.url}/build").page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    jobs = {}
    for label in FIELD:
        page.goto(f"{server.url}/build")
        begin(page, label, good)
        jobs[label] = page.url
    for label, address in jobs.items():
        page.goto(address)
        expect(page.get_by_role("button", name="Inspect images")).to_be_visible()
        expect(page.locator(".pc-inspector").first).to_contain_text(label)
        has_slider = label == "PatchCore"
        expect(page.get_by_role("slider", name="Bank size")).to_have_count(int(has_slider))
        expect(page.get_by_text(f"{label} keeps no coreset")).to_have_count(int(not has_slider))

    built = {one.name: one for one in list_inspectors(workspace)}
    assert {one.current.settings["method"] for one in built.values()} == {"patchcore", "padim", "spade"}
    label_a_set(workspace, built["Washer by SPADE"].id)
    other = built["Washer by PaDiM"].current.id
    page.goto(f"{server.url}/evaluate?inspector={built['Washer by SPADE'].id}&view=Compare&other={other}")
    table = page.locator(".pc-compare")
    expect(table.locator("tr", has_text="Method")).to_contain_text("SPADEPaDiM")
    expect(table.locator("tr", has_text="Compared with")).to_contain_text(re.compile("patches.*positions"))
    expect(page.get_by_text(re.compile("Images on which they disagree"))).to_be_visible()


def begin(page: Page, label: str, good: Path) -> None:
    """Take a build through its steps with one method and a small input, and press Build."""
    page.get_by_role("textbox", name="Name of the inspector").fill(f"Washer by {label}")
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
