"""The main job in a real browser, from a folder of good parts to a verdict that is still there after a reload."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from patchcore.images.file_names import safe_name
from tests.browser.conftest import serious_findings
from tests.browser.settled import settle

ROOT = Path(__file__).resolve().parents[2]
WASHER = ROOT / "sample_data" / "washer"
GOOD, TRUNCATED_AT = 12, 2_000
HOSTILE = "<img src=x onerror=document.title='owned'>.jpg"
PAINTED = ".tile.painted:not([hidden])"
DETAIL = ".detail-viewer[data-ready]"
PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture(scope="module")
def good_folder(tmp_path_factory) -> Path:
    """A folder as a user would drop it: good parts, one broken file, one that is no image."""
    folder = tmp_path_factory.mktemp("lot7") / "good parts"
    folder.mkdir()
    for path in sorted((WASHER / "train" / "good").iterdir())[:GOOD]:
        shutil.copy(path, folder)
    whole = next(folder.iterdir()).read_bytes()
    (folder / "broken.jpg").write_bytes(whole[:TRUNCATED_AT])
    (folder / "notes.txt").write_text("taken on line 3", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def test_images(tmp_path_factory) -> list[Path]:
    """Two good parts and three defective ones, one under a name that would be HTML."""
    folder = tmp_path_factory.mktemp("test")
    kinds = sorted(path for path in (WASHER / "test").iterdir() if path.name != "good")[:2]
    chosen = [
        *sorted((WASHER / "test" / "good").iterdir())[:2],
        *(sorted(kind.iterdir())[0] for kind in kinds),
    ]
    names = [shutil.copy(path, folder / f"{path.parent.name}_{path.name}") for path in chosen]
    hostile = folder / HOSTILE
    shutil.copy(sorted(kinds[0].iterdir())[1], hostile)
    return [Path(name) for name in names] + [hostile]


def test_from_a_folder_of_good_parts_to_verdicts(serve, open_page, good_folder, test_images):
    server = serve("app.py")
    page = open_page(f"{server.url}/build").page  # a link straight to a page of a server that nobody has used
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)

    no_empty_page_has_a_serious_barrier(page)
    build(page, good_folder)
    make_the_bank_smaller(page)
    inspect(page, test_images)
    move_the_threshold(page, len(test_images))
    open_a_detail(page)
    download_the_table(page, [safe_name(path.name) for path in test_images])
    reload(page, len(test_images))
    assert page.title() == "Inspect, PatchCore inspection"  # no file name has run as a script


def no_empty_page_has_a_serious_barrier(page: Page) -> None:
    """Walk the pages of a server without inspectors, and come back to the first one."""
    name = page.get_by_role("textbox", name="Name of the inspector")
    for title in (None, "Inspect", "Review", "Evaluate", "Library", "Home"):
        if title is None:
            name.wait_for()
        else:
            page.get_by_role("link", name=title, exact=True).click()
            expect(page).to_have_title(f"{title}, PatchCore inspection")
        settle(page)
        assert (title, serious_findings(page)) == (title, [])
    page.get_by_role("link", name="Build", exact=True).click()
    name.wait_for()


def build(page: Page, folder: Path) -> None:
    page.get_by_role("textbox", name="Name of the inspector").fill("M12 washer, line 3")
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(folder)
    expect(page.get_by_role("button", name=f"Use these {GOOD} images")).to_be_visible()
    left_out = page.locator(".pc-table")
    expect(left_out).to_contain_text("broken.jpg")
    expect(left_out).to_contain_text(f"{TRUNCATED_AT:,} bytes")
    expect(left_out).to_contain_text("notes.txt")
    page.get_by_role("button", name=f"Use these {GOOD} images").click()
    expect(page.get_by_alt_text("network input")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.locator(".st-key-panel_result")).to_be_visible()
    page.reload()  # the build goes on without the page
    expect(page.get_by_role("button", name="Inspect images")).to_be_visible()
    expect(page.locator(".pc-inspector").first).to_contain_text("M12 washer, line 3")


def make_the_bank_smaller(page: Page) -> None:
    patches = page.locator(".pc-table tr", has_text="Patches").locator("td")
    before = patches.nth(1).inner_text()
    slider = page.get_by_role("slider", name="Bank size, share of all patches")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    expect(patches.nth(1)).not_to_have_text(before)
    assert number(patches.nth(1).inner_text()) < number(before)
    use = page.get_by_role("button", name="Use 5 %")  # three stops below 10 %: 8, 6, 5
    expect(use).to_be_enabled()
    kept = patches.nth(1).inner_text()
    use.click()
    expect(page.locator(".pc-inspector").first).to_contain_text(f"{kept} patches")


def inspect(page: Page, images: list[Path]) -> None:
    page.get_by_role("button", name="Inspect images").click()
    page.locator("input[type=file]").set_input_files(images)
    expect(page.locator(PAINTED)).to_have_count(len(images))
    expect(page.locator(".tile .name", has_text=safe_name(HOSTILE))).to_be_visible()  # as text


def move_the_threshold(page: Page, count: int) -> None:
    handle = page.get_by_role("slider", name="Reject threshold")
    handle.focus()
    handle.press("Home")
    expect(page.locator(".counts .reject b")).to_have_text(str(count))
    expect(page.locator(".tile[data-verdict=reject]")).to_have_count(count)
    wait_until_told(page)
    handle.press("End")
    expect(page.locator(".counts .reject b")).to_have_text("0")
    wait_until_told(page)
    expect(page.get_by_role("button", name="Use this threshold")).to_be_enabled()
    while page.get_by_role(
        "switch", name="Review band"
    ).is_checked():  # a click into a redrawing page may be lost
        page.get_by_text("Review band", exact=True).click()
    expect(page.locator(".counts .accept b")).to_have_text(str(count))
    expect(page.locator(".counts .review")).to_be_hidden()
    handle.focus()
    for _ in range(4):
        handle.press("PageDown")
    wait_until_told(page)


def wait_until_told(page: Page) -> None:
    """Wait until the threshold that the browser shows has reached the page's address, by way of the server."""
    page.wait_for_function(
        """handle => {
            const [shown, told] = [handle.ariaValueNow, new URL(location).searchParams.get('threshold')];
            return told !== null && Math.abs(told - shown) <= 1e-5 * shown + 1e-9;
        }""",
        arg=page.get_by_role("slider", name="Reject threshold").element_handle(),
    )


def open_a_detail(page: Page) -> None:
    page.locator(PAINTED).first.click()
    expect(page.locator(DETAIL)).to_be_visible()
    expect(page.locator(".why-text")).to_contain_text(
        re.compile(r"Nothing like this in any good part. Closest: .+\.jpg \(distance")
    )
    expect(page.locator(DETAIL)).to_contain_text("times the threshold")


def download_the_table(page: Page, names: list[str]) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows) == sorted(names)
    assert all(float(row["score"]) > 0 for row in rows)


def reload(page: Page, count: int) -> None:
    verdicts = page.locator(".counts").inner_text()
    threshold = page.get_by_role("slider", name="Reject threshold").get_attribute("aria-valuenow")
    page.reload()
    expect(page.locator(PAINTED)).to_have_count(count)
    expect(page.locator(DETAIL)).to_be_visible()
    assert page.locator(".counts").inner_text() == verdicts
    assert page.get_by_role("slider", name="Reject threshold").get_attribute("aria-valuenow") == threshold


def number(text: str) -> int:
    return int(text.replace(",", ""))
