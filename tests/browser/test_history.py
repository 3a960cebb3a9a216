"""The history in a real browser: found by name, opened, decided upon, linked to, and taken away as a file."""

from __future__ import annotations

import csv
import re
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from tests.browser.settled import settle
from tests.pages.prepared import prepare
from workbench.inspectors.versions import find_inspector
from workbench.storage.tables import Inspection
from workbench.storage.workspace import Workspace

HISTORY = "washer-history"
PATIENCE = 120_000  # milliseconds; the machine may be busy
ROW = "[class*='st-key-history_row_']"


@pytest.fixture(scope="module")
def part(house) -> int:
    """The inspection of Part 4711: beside two other parts with a verdict, and a file that could not be scored."""
    with closing(Workspace(house.workspace)) as workspace:
        if find_inspector(workspace, HISTORY) is None:  # test_back.py may have made it
            prepare(house.workspace, HISTORY)
        with workspace.database.write() as session:
            ids = session.scalars(select(Inspection.id).where(Inspection.inspector_id == HISTORY))
            number = sorted(ids)[1]
            named = update(Inspection).where(Inspection.id == number)
            session.execute(named.values(name="Line 3/Part 4711.png"))
        return number


def inspection(root: Path, number: int) -> Inspection:
    with closing(Workspace(root)) as workspace, workspace.database.read() as session:
        return session.scalars(select(Inspection).where(Inspection.id == number)).one()


def test_a_part_is_found_opened_decided_on_and_exported(house, open_page, part, tmp_path, find_barriers):
    root = house.workspace
    page = open_page(f"{house.url}/history?inspector={HISTORY}", height=1300, dark=True).page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    expect(page.locator(ROW)).to_have_count(4)
    expect(
        page.get_by_text(re.compile("Drift is looked for from 300 accepted parts of production on"))
    ).to_be_visible()
    settle(page)
    assert find_barriers(page) == []
    search(page, "part 4711")
    export(page, tmp_path)
    page.locator(ROW).get_by_role("button", name="Line 3/Part 4711.png").click()
    expect(page.get_by_role("heading", name="Line 3/Part 4711.png")).to_be_visible()
    expect(page).to_have_url(re.compile(f"inspection={part}"))
    drawn = page.locator(".pc-shown img")
    assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") == 448
    decide(page, root, part)
    page.reload()
    expect(page.get_by_text("Decided: ✓ fine")).to_be_visible()
    expect(page.get_by_text("a polishing mark")).to_be_visible()
    drawn.wait_for()
    settle(page)
    assert find_barriers(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Decided: ✓ fine")).to_have_count(0)
    assert inspection(root, part).decision is None
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
        stem, _, suffix = name.partition(".")
        assert re.fullmatch(rf"{stem}_[\d_-]+\.{suffix}", download.value.suggested_filename)
        download.value.save_as(folder / name)
    with (folder / "history.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = csv.DictReader(file)
    table = pq.read_table(folder / "history.parquet")
    assert line["file"] == "Line 3/Part 4711.png" and table["file"].to_pylist() == [line["file"]]
    assert float(line["score"]) == pytest.approx(table["score"].to_pylist()[0], rel=1e-5)


def decide(page: Page, root: Path, part: int) -> None:
    note = page.get_by_role("textbox", name="Note")
    note.fill("a polishing mark")
    page.get_by_role("button", name="This part is fine").click()
    expect(page.get_by_text("Decided: ✓ fine")).to_be_visible()
    settle(page)
    kept = inspection(root, part)
    assert (kept.decision, bool(kept.decided_by)) == ("fine", True)
