"""An hour with the dashboard in a real browser: from a folder of good parts to an inspector that has left for the bin.

Parts are square, upright (1:3) and wide (3:1). Every step looks whether the right thing was meant, kept and shown.
"""

from __future__ import annotations

import csv
import re
import shutil
from contextlib import closing
from pathlib import Path

import PIL.Image
import pytest
from playwright.sync_api import Page, expect

from patchcore.images.file_names import safe_name
from tests.browser.conftest import serious_findings
from tests.browser.settled import settle
from workbench.inspectors.versions import list_inspectors
from workbench.storage.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
WASHER = ROOT / "sample_data" / "washer"
NAME, COPY = "M12 washer, line 3", "M12 washer, spare"
GOOD, TRUNCATED_AT = 12, 2_000
DOUBTFUL = 2  # the upright and the wide picture show no such part
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
    """Two good parts, three defective ones, one under a name that would be HTML, and an upright and a wide one."""
    folder = tmp_path_factory.mktemp("test")
    kinds = sorted(path for path in (WASHER / "test").iterdir() if path.name != "good")[:2]
    chosen = [
        *sorted((WASHER / "test" / "good").iterdir())[:2],
        *(sorted(kind.iterdir())[0] for kind in kinds),
    ]
    names = [shutil.copy(path, folder / f"{path.parent.name}_{path.name}") for path in chosen]
    hostile = folder / HOSTILE
    shutil.copy(sorted(kinds[0].iterdir())[1], hostile)
    shapes = [folder / "LOT-2026-11-30_station-4_camera-2_part-000017.png", folder / "wide.png"]
    with PIL.Image.open(chosen[0]) as part:
        part.resize((150, 450)).save(shapes[0])
        part.resize((450, 150)).save(shapes[1])
    return [Path(name) for name in names] + [hostile, *shapes]


def test_from_a_folder_of_good_parts_to_the_bin(serve, open_page, good_folder, test_images, tmp_path):
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

    nothing_is_cut(page)
    tap(open_page(page.url, touch=True, height=700).page)
    tune_with_a_comma(page)
    copy = import_a_copy(page, export(page, tmp_path))
    rename(page, copy)
    delete(page, server.workspace)
    go_back(page, len(test_images))


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
    page.get_by_role("textbox", name="Name of the inspector").fill(NAME)
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
    expect(page.locator(".pc-inspector").first).to_contain_text(NAME)


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
    expect(page.locator(".counts .accept b")).to_have_text(str(count - DOUBTFUL))
    expect(page.locator(".counts .review b")).to_have_text(str(DOUBTFUL))
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


def nothing_is_cut(page: Page) -> None:
    """Every picture is whole inside its frame, in its own shape, and names that differ at their end show it."""
    for tile in page.locator(PAINTED).all():
        canvas, frame = tile.locator("canvas").bounding_box(), tile.locator(".frame").bounding_box()
        assert canvas["x"] >= frame["x"] - 1 and canvas["y"] >= frame["y"] - 1
        assert canvas["x"] + canvas["width"] <= frame["x"] + frame["width"] + 1
        assert canvas["y"] + canvas["height"] <= frame["y"] + frame["height"] + 1
    names = page.locator(".tile .name").all_inner_texts()
    assert any(name.strip().endswith("000017.png") for name in names)


def tap(page: Page) -> None:
    """By touch, a tap on a part brings the part into view, with the decision on it."""
    page.set_default_timeout(PATIENCE)
    page.locator(".detail-viewer[data-ready]").wait_for()
    page.get_by_role("button", name="Close").tap()
    page.locator(".detail-viewer").wait_for(state="detached")
    settle(page)
    page.locator(PAINTED).last.tap()
    expect(page.locator(DETAIL)).to_be_in_viewport()
    settle(page)
    expect(page.get_by_role("button", name="This is fine")).to_be_in_viewport()


def tune_with_a_comma(page: Page) -> None:
    go_to(page, "Tune")
    scale = page.get_by_role("textbox", name="Scale, mm per pixel")
    scale.fill("0,05")
    scale.press("Tab")
    expect(scale).to_have_value("0.0500")
    scale.fill("five")
    scale.press("Tab")
    expect(page.get_by_text(re.compile("five.* is no(t a)? number"))).to_be_visible()


def export(page: Page, folder: Path) -> Path:
    go_to(page, "Library")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    download.value.save_as(folder / "washer.patchcore")
    return folder / "washer.patchcore"


def import_a_copy(page: Page, file: Path) -> str:
    """Bring the inspector in beside itself; the copy has another name."""
    page.get_by_role("button", name="Import", exact=True).click()
    page.locator("input[type=file]").set_input_files(file)
    settle(page)
    page.get_by_role("button", name="Import this file").click()
    expect(page.get_by_text("is imported, as version 1")).to_be_visible()
    name = page.locator(".pc-called b").inner_text()
    assert name != NAME and name.startswith(NAME)
    expect(page.locator(".pc-inspector").first).to_contain_text(name)
    return name


def rename(page: Page, name: str) -> None:
    """A name that is taken is refused with a free one; the copy alone gets the new name."""
    settle(page)
    page.get_by_role("button", name="Rename").click()
    box = page.get_by_role("textbox", name="Name", exact=True)
    expect(box).to_have_value(name)
    box.fill(NAME)
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text(re.compile("is taken|already"))).to_be_visible()
    settle(page)
    if not box.is_visible():
        page.get_by_role("button", name="Rename").click()
    box.fill(COPY)
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".pc-called b")).to_have_text(COPY)


def delete(page: Page, root: Path) -> None:
    """The one that is open goes to the bin, and no other."""
    settle(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(COPY)
    page.get_by_role("button", name="Put it in the bin").click()
    expect(page.locator(".pc-inspector").first).to_contain_text(NAME)
    with closing(Workspace(root)) as workspace:
        assert [one.name for one in list_inspectors(workspace)] == [NAME]


def go_back(page: Page, count: int) -> None:
    """Everything of the original is still there, and Back leads to the page before."""
    go_to(page, "Inspect")
    expect(page.locator(PAINTED)).to_have_count(count)
    page.go_back()
    expect(page).to_have_title("Library, PatchCore inspection")


def go_to(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).click()
    expect(page).to_have_title(f"{title}, PatchCore inspection")
    settle(page)


def number(text: str) -> int:
    return int(text.replace(",", ""))
