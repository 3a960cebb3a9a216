"""The history in a real browser: found by name, opened, decided upon, linked to, and taken away as a file."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from tests.browser.settled import settle
from tests.pages.prepared import prepare
from workbench.storage.tables import Inspection
from workbench.storage.workspace import Workspace

PATIENCE = 120_000  # milliseconds; the machine may be busy
ROW = "[class*='st-key-history_row_']"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three parts with a verdict, one of them called Part 4711, and a file that could not be scored."""
    root = prepare(tmp_path_factory.mktemp("history"))
    workspace = Workspace(root)
    with workspace.database.write() as session:
        session.execute(update(Inspection).where(Inspection.id == 2).values(name="Line 3/Part 4711.png"))
    workspace.close()
    return root


def inspection(root: Path, number: int) -> Inspection:
    workspace = Workspace(root)
    with workspace.database.read() as session:
        row = session.scalars(select(Inspection).where(Inspection.id == number)).one()
    workspace.close()
    return row


def test_a_part_is_found_opened_decided_on_and_exported(serve, open_page, root, tmp_path):
    server = serve("app.py", workspace=root)
    page = open_page(f"{server.url}/history?inspector=washer", height=1300).page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    expect(page.locator(ROW)).to_have_count(4)
    expect(page.get_by_text(re.compile("Drift is looked for from 300 accepted parts on"))).to_be_visible()
    search(page, "part 4711")
    export(page, tmp_path)
    page.locator(ROW).get_by_role("button", name="Line 3/Part 4711.png").click()
    expect(page.get_by_role("heading", name="Line 3/Part 4711.png")).to_be_visible()
    expect(page).to_have_url(re.compile("inspection=2"))
    drawn = page.locator(".pc-shown img")
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") == 448
    decide(page, root)
    page.reload()
    expect(page.get_by_text("Decided: ✓ fine")).to_be_visible()
    expect(page.get_by_text("a polishing mark")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Decided: ✓ fine")).to_have_count(0)
    assert inspection(root, 2).decision is None
    page.get_by_role("button", name="Back to all").click()
    expect(page.locator(ROW).first).to_be_visible()
    expect(page).not_to_have_url(re.compile("inspection="))


def search(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Name holds")
    box.fill(text)
    box.press("Enter")
    expect(page.locator(ROW)).to_have_count(1)
    expect(page.locator(".pc-counts")).to_contain_text("1 inspection")
    settle(page)


def export(page: Page, folder: Path) -> None:
    for label, name in (("CSV", "history.csv"), ("Parquet", "history.parquet")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        assert download.value.suggested_filename == name
        download.value.save_as(folder / name)
    with (folder / "history.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = csv.DictReader(file)
    table = pq.read_table(folder / "history.parquet")
    assert line["file"] == "Line 3/Part 4711.png" and table["file"].to_pylist() == [line["file"]]
    assert float(line["score"]) == pytest.approx(table["score"].to_pylist()[0], rel=1e-5)


def decide(page: Page, root: Path) -> None:
    note = page.get_by_role("textbox", name="Note")
    note.fill("a polishing mark")
    page.get_by_role("button", name="This part is fine").click()
    expect(page.get_by_text("Decided: ✓ fine")).to_be_visible()
    settle(page)
    kept = inspection(root, 2)
    assert (kept.decision, bool(kept.decided_by)) == ("fine", True)


def test_no_serious_barrier_on_history(serve, open_page, root, find_barriers):
    url = serve("app.py", workspace=root).url
    page = open_page(f"{url}/history?inspector=washer", dark=True).page
    page.locator(ROW).first.wait_for(timeout=PATIENCE)
    settle(page)
    assert find_barriers(page) == []
    page = open_page(f"{url}/history?inspection=1").page
    page.locator(".pc-shown img").wait_for(timeout=PATIENCE)
    settle(page)
    assert find_barriers(page) == []
