"""Take the pictures of the dashboard that README and docs show: `python -m lab.pictures`.

The command opens the sample product in a separate workspace, in a real Chromium, and writes docs/images/*.png.
"""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page

from lab import ROOT
from lab.browser import chromium

IMAGES = ROOT / "docs" / "images"
PATIENCE = 600_000  # milliseconds; the sample is built first
SIZES = ((1440, 900), (1024, 800))
QUIET = "() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'"


def main() -> None:
    """Take all pictures, light and dark, wide and narrow."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as (browser, serve):
        take(browser, serve("app.py").url)


def take(browser: Browser, url: str) -> None:
    """Walk the pages once for every theme and width; the first walk builds the sample."""
    for width, height in SIZES:
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            walk(page, url, f"{theme}_{width}")
            context.close()


def walk(page: Page, url: str, suffix: str) -> None:
    """Picture every page, empty before the sample is built and full afterwards."""
    page.goto(url)
    sample = page.get_by_role("button", name="Open the sample product")
    sample.wait_for()
    first_visit = page.get_by_text("No inspector yet").is_visible()
    picture(page, f"{'first_visit' if first_visit else 'home'}_{suffix}")
    sample.click()
    page.locator(".tile.painted").first.wait_for()
    page.locator(".st-key-scoring_batch_bar").wait_for(state="hidden")
    picture(page, f"inspect_{suffix}")
    page.locator(".tile.painted").first.click()
    page.locator(".detail-viewer[data-ready] .pair canvas").last.wait_for()
    picture(page, f"detail_{suffix}")
    page.goto(f"{url}/tune?inspector=sample-washer")
    maps, made = page.locator(".st-key-scoring_maps_go button"), page.locator(".tile .labels.fixed").first
    maps.or_(made).first.wait_for(state="attached")
    if maps.count():  # on a slow machine they are long work, which waits for a person
        maps.click()
    made.wait_for(state="attached")  # the good images have their maps
    page.locator(".detail-viewer[data-ready]").wait_for()
    picture(page, f"tune_{suffix}")
    page.locator(".st-key-panel_regions").scroll_into_view_if_needed()
    picture(page, f"regions_{suffix}")
    for view in ("Curves", "Misses and false rejects", "Good images"):
        page.goto(f"{url}/evaluate?inspector=sample-washer&view={view}")
        page.locator(".st-key-panel_headline").wait_for()
        page.get_by_text("Making the maps").wait_for(state="hidden")
        picture(page, f"evaluate_{view.split()[0].lower()}_{suffix}")
    walk_show(page, url, suffix)
    walk_history(page, url, suffix)
    page.goto(f"{url}/library?inspector=sample-washer")
    page.locator(".pc-state").first.wait_for()
    picture(page, f"library_{suffix}")
    walk_build(page, url, suffix)


def walk_build(page: Page, url: str, suffix: str) -> None:
    """Picture the steps of a build as far as the region."""
    page.goto(f"{url}/build")
    name = page.get_by_role("textbox", name="Name of the inspector")
    draft = page.get_by_role("button", name="Begin another")  # the draft of the walk before
    name.or_(draft).first.wait_for()
    if draft.is_visible():
        draft.click()
    name.wait_for()
    picture(page, f"build_{suffix}")
    name.fill("M12 washer, line 3")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Sample", exact=True).first.click()
    page.get_by_role("button", name="Use its good images").click()
    page.get_by_role("button", name=re.compile("^Use these")).wait_for()
    picture(page, f"images_{suffix}")
    page.get_by_role("button", name=re.compile("^Use these")).click()
    page.locator(".roi-viewer[data-ready]").wait_for()
    canvas = page.locator(".stage-roi canvas").bounding_box()
    if canvas is not None and "is inspected" in page.locator(".roi .foot").inner_text():
        middle = canvas["x"] + canvas["width"] / 2
        page.mouse.move(middle - 150, canvas["y"] + 40)
        page.mouse.down()
        page.mouse.move(middle + 150, canvas["y"] + canvas["height"] - 40, steps=5)
        page.mouse.up()
    picture(page, f"region_{suffix}")


def walk_show(page: Page, url: str, suffix: str) -> None:
    """Picture two scenes of the demonstration: a part with a defect, and the threshold."""
    page.goto(f"{url}/show?inspector=sample-washer&scene=parts")
    page.locator(".show-parts[data-shown]").wait_for()
    page.keyboard.press("PageDown")
    page.locator(".show-pair canvas").last.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / f"show_parts_{suffix}.png")
    page.goto(f"{url}/show?inspector=sample-washer&scene=threshold")
    page.locator(".show-sweep[data-paint]").wait_for()
    page.wait_for_timeout(3000)  # its sixteen pictures come one after the other
    page.screenshot(path=IMAGES / f"show_threshold_{suffix}.png")


def walk_history(page: Page, url: str, suffix: str) -> None:
    """Picture the history, and one inspection."""
    page.goto(f"{url}/history?inspector=sample-washer")
    page.locator("[class*='st-key-history_row_']").first.wait_for()
    picture(page, f"history_{suffix}")
    page.locator("[class*='st-key-history_row_'] button").first.click()
    page.locator(".pc-shown img").wait_for()
    picture(page, f"inspection_{suffix}")


def picture(page: Page, name: str) -> None:
    """Wait until the page has settled and save its visible part, with the default workspace's name."""
    page.wait_for_timeout(500)
    page.wait_for_function(QUIET)
    page.wait_for_timeout(500)
    page.get_by_text(re.compile(r"^Workspace ")).evaluate("e => { e.textContent = 'Workspace ~/.patchcore' }")
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
