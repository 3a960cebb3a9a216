"""The library in a real browser: a version restored, deleted and brought back, and an inspector carried elsewhere."""

from __future__ import annotations

import pickle
import re
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from patchcore.thresholds.operating_point import OperatingPoint
from tests.browser.settled import settle
from tests.pages.prepared import prepare
from tests.pages.texts import WASHER
from tests.points import by_hand
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.point_history import store_point
from workbench.inspectors.versions import find_inspector, list_inspectors
from workbench.storage.workspace import Workspace

PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A workspace with a small inspector that has had two thresholds."""
    root = prepare(tmp_path_factory.mktemp("library"))
    with closing(Workspace(root)) as workspace:
        version = find_inspector(workspace, "washer").current
        now = OperatingPoint.from_dict(version.operating_point)
        store_point(workspace, version, by_hand(0.5, now.evidence, now.bank_id, set_by=""), "new lamp")
    return root


def test_versions_the_bin_and_the_way_to_another_computer(
    serve, house, open_page, root, tmp_path, find_barriers
):
    page = open_page(f"{serve('app.py', workspace=root).url}/library?inspector=washer").page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    expect(page.locator(".pc-state")).to_have_count(2)
    assert find_barriers(page) == []

    restore_the_first(page, root)
    delete_and_bring_back(page)
    file = export(page, tmp_path)

    elsewhere = house.workspace
    with closing(Workspace(elsewhere)) as workspace:
        before = {one.id for one in list_inspectors(workspace)}
    other = open_page(f"{house.url}/library").page
    other.set_default_timeout(PATIENCE)
    refuse(other, tmp_path)
    bring_in(other, file)
    with closing(Workspace(elsewhere)) as workspace:
        (imported,) = {one.id for one in list_inspectors(workspace)} - before
    assert scores(root, "washer") == scores(elsewhere, imported)


def restore_the_first(page: Page, root: Path) -> None:
    """By keyboard: the line, then the button."""
    page.get_by_role("button", name="1.1", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 1.1")).to_be_visible()
    assert "version=1.1" in page.url
    page.get_by_role("button", name="Restore").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1.1 is in use again")).to_be_visible()
    expect(page.locator(".pc-state").first).to_contain_text(re.compile("restored.*in use.*Restored 1.1"))
    with closing(Workspace(root)) as workspace:
        assert find_inspector(workspace, "washer").current.operating_point["reject"] != 0.5
    page.reload()
    expect(page.locator(".pc-state")).to_have_count(3)


def delete_and_bring_back(page: Page) -> None:
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("goes to the bin with 1 version")
    page.get_by_role("button", name="Put it in the bin").click()
    expect(page.get_by_text("there is none yet")).to_be_visible()
    settle(page)
    page.get_by_text("Bin (1)").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The bin is empty")).to_be_visible()
    settle(page)
    page.get_by_text("Inspectors", exact=True).click()
    expect(page.locator(".pc-state")).to_have_count(3)


def export(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "Washer_line_3_v1.3.patchcore"
    download.value.save_as(folder / "washer.patchcore")
    return folder / "washer.patchcore"


def refuse(page: Page, folder: Path) -> None:
    bad = folder / "bad.patchcore"
    bad.write_bytes(pickle.dumps({"bank": [1, 2, 3]}))
    page.get_by_role("button", name="Import", exact=True).click()
    page.locator("input[type=file]").set_input_files(bad)
    page.get_by_role("button", name="Import this file").click()
    expect(page.get_by_text("was refused, and nothing of it came into the library")).to_contain_text(
        "pickle, which is never opened"
    )


def bring_in(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("was refused")).to_have_count(0)
    settle(page)
    page.get_by_role("button", name="Import this file").click()
    expect(page.get_by_text("is imported, as version 1")).to_be_visible()
    expect(page.locator(".pc-state")).to_contain_text("imported")


def scores(root: Path, inspector_id: str) -> list[float | None]:
    """Score two test images in a workspace, by an inspector."""
    with closing(Workspace(root)) as workspace:
        inspector = find_inspector(workspace, inspector_id)
        kinds = sorted(path for path in (WASHER / "test").iterdir())[:2]
        images = [workspace.store_image(sorted(kind.iterdir())[3], f"{kind.name}.jpg") for kind in kinds]
        batch = create_batch(workspace, inspector.id, images, "Compared")
        return [result.score for result in score_batch(workspace, batch, inspector.current)]
