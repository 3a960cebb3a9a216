"""Evaluate in a real browser: curves, a bank chosen from the plot, a bad good image removed, the report offline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, findings_in_both_themes, opened
from tests.browser.settled import settle, until
from tests.pages.texts import WASHER
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import get_version
from workbench.storage.workspace import Workspace

PATIENCE = 120_000  # milliseconds; the machine may be busy
GOOD = 14
PLANTED, PLANTED_ID = "planted.jpg", "washer-planted"
VIEWS = (
    "Curves",
    "By defect type",
    "Misses and false rejects",
    "Bank size",
    "Good images",
    "Compare",
    "Report",
)


@pytest.fixture(scope="module")
def planted(house):
    """The address of an inspector of good washers and one that is defective, with a labelled set scored by it."""
    workspace = Workspace(house.workspace)
    good = sorted((WASHER / "train/good").iterdir())[:GOOD]
    images = [workspace.store_image(path, path.name) for path in good]
    bad = sorted((WASHER / "test/rust").iterdir())[3]
    images.insert(5, workspace.store_image(bad, PLANTED))
    settings = BuildSettings(name="Washer, line 3", image_size=128)
    version = build(workspace, settings, images, inspector_id=PLANTED_ID)
    labelled = []
    for kind, count in (("good", 5), ("rust", 2), ("misstruck", 2), ("contamination", 2)):
        for path in sorted((WASHER / "test" / kind).iterdir())[:count]:
            place = WASHER / "ground_truth" / kind / f"{path.stem}_mask.png"
            mask = workspace.store_image(place, place.name).sha256 if kind != "good" else None
            labelled.append(workspace.store_image(path, f"{kind}/{path.name}", truth=kind, mask_sha256=mask))
    batch = create_batch(workspace, PLANTED_ID, labelled, "Lot 8")
    assert len(list(score_batch(workspace, batch, get_version(workspace, version.id)))) == len(labelled)
    workspace.database.close()
    return f"{house.url}/evaluate?inspector={PLANTED_ID}&view={VIEWS[-1]}"


@pytest.fixture(scope="module")
def watched(planted, browser) -> Iterator[Watched]:
    found = opened(browser, planted)
    yield found
    found.page.context.close()


@pytest.fixture
def page(watched) -> Iterator[Page]:
    """The page Evaluate, which the tests below walk through one after the other; the last one changes the bank."""
    watched.page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    before = len(watched.errors)
    yield watched.page
    assert not watched.errors[before:]


def test_no_view_has_a_serious_barrier(page):
    for view in VIEWS:
        go_to(page, view)
        page.get_by_text("Making the maps").wait_for(state="hidden")
        settle(page)
        assert (view, findings_in_both_themes(page)) == (view, [])


def test_a_miss_opens_beside_its_mask(page):
    go_to(page, "Misses and false rejects")
    page.locator(".tile.painted").first.click()
    expect(page.locator(".detail-viewer[data-ready]")).to_be_visible()
    agreement = page.locator(".st-key-panel_agreement")
    expect(agreement.get_by_role("img")).to_be_visible()
    expect(agreement).to_contain_text("missed")
    expect(agreement).to_contain_text(re.compile(r"[\d,]+ px"))


def test_the_report_opens_with_networking_off(page, browser, tmp_path):
    go_to(page, "Report")
    expect(page.get_by_text(re.compile("Of 6 defects"))).to_be_visible()
    page.get_by_role("textbox", name="Author").fill("J. <b>Inspector</b>")
    page.get_by_role("textbox", name="Author").press("Tab")
    expect(page.get_by_text("Signed: J. <b>Inspector</b>.")).to_be_visible()
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="Make the report").click()
    assert re.fullmatch(r"report_Washer_line_3_v1_[\d_-]+\.html", download.value.suggested_filename)
    kept = tmp_path / "report.html"
    download.value.save_as(kept)
    context = browser.new_context(offline=True)
    watched = Watched(context.new_page())
    watched.watch()
    report = watched.page
    report.goto(kept.as_uri())
    expect(report.locator("body")).to_contain_text("J. <b>Inspector</b>")  # as text
    expect(report.locator("body")).to_contain_text("Washer, line 3")
    assert report.locator("img").count() > 0
    broken = report.evaluate(
        "() => [...document.images].filter((one) => !one.complete || !one.naturalWidth).length"
    )
    assert broken == 0 and watched.errors == []
    context.close()


def test_from_the_curves_to_a_smaller_bank_without_the_planted_image(page):
    go_to(page, "Curves")
    see_the_curves(page)
    remove_the_planted_image(page)
    choose_a_smaller_bank_from_the_plot(page)


def see_the_curves(page: Page) -> None:
    expect(
        page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")
    ).to_have_count(3)
    expect(page.locator(".st-key-panel_headline")).to_contain_text("Image AUROC")
    expect(page.locator(".st-key-panel_headline")).to_contain_text(re.compile(r"of 6, .*%"))


def remove_the_planted_image(page: Page) -> None:
    go_to(page, "Good images")
    expect(page.get_by_text(re.compile(r"planted\.jpg scores .* look at it first"))).to_be_visible()
    page.get_by_text("Making the maps").wait_for(state="hidden")
    first = page.locator("[class*=st-key-panel_audit_]").first
    expect(first).to_contain_text(PLANTED)
    expect(first.locator("img")).to_have_count(2)  # the picture and its worst patch
    patches = in_bank(page)
    first.locator("label", has_text=PLANTED).click()
    page.get_by_role("button", name="Remove 1 image from the bank").click()
    expect(page.get_by_text(re.compile("1 image removed"))).to_be_visible()
    expect(page.locator(".pc-inspector").first).not_to_contain_text(patches)
    page.get_by_role("button", name="Undo the removal").click()
    page.get_by_role(
        "button", name="Put it in force"
    ).click()  # the earlier threshold lets a known defect through
    expect(page.locator(".pc-inspector").first).to_contain_text(patches)
    page.get_by_text("Making the maps").wait_for(state="hidden")
    expect(page.locator("[class*=st-key-panel_audit_]").first).to_contain_text(PLANTED)


def choose_a_smaller_bank_from_the_plot(page: Page) -> None:
    go_to(page, "Bank size")
    page.get_by_role("button", name="Compare bank sizes").click()
    expect(page.get_by_role("button", name="Measure again")).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(6)
    use = page.locator(".st-key-use_size button")
    expect(use).to_be_disabled()  # the size in use is chosen at first
    before = threshold(page)
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.locator("canvas, svg").first.wait_for()
    settle(page)
    box = chart.bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    page.wait_for_url(re.compile("size="))
    expect(use).to_be_enabled()
    use.click()
    expect(page.get_by_text(re.compile("The threshold was set again"))).to_be_visible()
    page.get_by_text("Scoring the labelled images").wait_for(state="hidden")
    expect(page.locator(".st-key-panel_headline")).to_be_visible()
    until(page, lambda: threshold(page) > before)  # a smaller bank never lowers a distance


def go_to(page: Page, view: str) -> None:
    """Change to a view, unless it is open already."""
    if not shows(page.url, view):
        page.locator(".st-key-evaluate_view").get_by_text(view, exact=True).click()
        page.wait_for_url(lambda url: shows(url, view))


def shows(url: str, view: str) -> bool:
    return parse_qs(urlsplit(url).query)["view"] == [view]


def in_bank(page: Page) -> str:
    """Return how many patches the sidebar says are in the bank."""
    return re.search(r"[\d,]+ patches", page.locator(".pc-inspector").first.inner_text())[0]


def threshold(page: Page) -> float:
    """Return the threshold that the sidebar says is in force."""
    return float(page.locator(".pc-facts b").first.inner_text())
