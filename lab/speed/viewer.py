"""The viewer's speed in a real browser: 60 tiles under a dragged threshold, 2,000 images, 24 megapixels.

`python -m lab.speed.viewer`, on a quiet machine, prints the median and the 95th percentile of a paint, the time to the
first paint, blank tiles while scrolling, the browser's memory, and the time to open a large image.
"""

from __future__ import annotations

import json
import statistics
import time
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Browser, Page

from lab.browser import chromium
from tests.browser.apps import made_up
from tests.browser.conftest import VIEWERS, ServerPool
from workbench.storage.pictures import encode_detail, encode_tile

VISIBLE_TILES = """grid => {
  const frame = grid.getBoundingClientRect();
  const seen = [...grid.querySelectorAll('.tile:not([hidden])')].filter((tile) => {
    const {top, bottom} = tile.getBoundingClientRect();
    return bottom > frame.top && top < frame.bottom;
  });
  return [seen.length, seen.filter((tile) => !tile.classList.contains('painted')).length];
}"""


def new_page(browser: Browser, height: int = 1000) -> Page:
    return browser.new_context(viewport={"width": 1440, "height": height}, reduced_motion="reduce").new_page()


def address(serve: ServerPool, part: str, **parameters: int) -> str:
    """Return where a part of the viewer is drawn."""
    wanted = json.dumps({"part": part, "number": 0, **parameters})
    return f"{serve(VIEWERS).url}/?wanted={quote(wanted)}"


def drag_sixty(browser: Browser, serve: ServerPool) -> None:
    page = new_page(browser, 1780)
    page.goto(address(serve, "gallery", count=60, tile_width=130, height=1300))
    page.locator(".tile.painted").nth(59).wait_for(state="attached", timeout=60_000)
    for mode in ("Heat", "Contour", "Both"):
        page.get_by_role("radio", name=mode, exact=True).click()
        handle = page.get_by_role("slider", name="Reject threshold").bounding_box()
        stage = page.locator(".stage").bounding_box()
        assert handle and stage
        y = handle["y"] + 40
        page.locator(".grid").evaluate("grid => grid.paintLog.length = 0")
        page.mouse.move(handle["x"] + 11, y)
        page.mouse.down()
        for step in range(100):
            page.mouse.move(stage["x"] + 25 + step * (stage["width"] - 50) / 99, y)
            page.evaluate(
                "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
        times = [entry["ms"] for entry in page.locator(".grid").evaluate("grid => grid.paintLog")]
        page.mouse.move(stage["x"] + stage["width"] / 2, y)
        page.mouse.up()
        page.wait_for_timeout(500)
        most = sorted(times)[int(0.95 * len(times))]
        print(
            f"60 tiles, {mode}: median {statistics.median(times):.1f} ms, 95 % below {most:.1f} ms, {len(times)} times"
        )


def scroll_two_thousand(browser: Browser, serve: ServerPool) -> None:
    url = address(serve, "gallery", count=2000, kinds=200, height=800)
    new_page(browser).goto(url)  # the first visitor waits for the pictures to be made up
    page = new_page(browser)
    page.goto(url)
    page.locator(".tile").first.wait_for(state="attached", timeout=120_000)
    start = time.perf_counter()
    page.locator(".tile.painted").nth(20).wait_for(state="attached")
    print(f"2,000 images: first screen painted {time.perf_counter() - start:.2f} s after the list was there")
    grid = page.locator(".grid")
    box = grid.bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    seen = blank = 0
    for _ in range(100):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(40)
        now, empty = grid.evaluate(VISIBLE_TILES)
        seen, blank = seen + now, blank + empty
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    print(
        f"2,000 images: {blank} blank of {seen} tiles seen while scrolling, {heap:.0f} MiB of script memory"
    )


def open_large(browser: Browser, serve: ServerPool) -> None:
    part = made_up.large(4900)
    start = time.perf_counter()
    encode_detail(part.pixels, part.scores, 3.0, overview_side=2048)
    print(f"24 megapixels: overview encoded in {time.perf_counter() - start:.2f} s")
    url = address(serve, "detail", side=4900)
    new_page(browser).goto(url)
    page = new_page(browser)
    page.goto(url)
    page.locator(".detail").wait_for(timeout=60_000)
    start = time.perf_counter()
    page.locator(".viewer[data-ready]").wait_for(state="attached", timeout=60_000)
    print(f"24 megapixels: painted {time.perf_counter() - start:.2f} s after the viewer was there")


def encode_tiles() -> None:
    part = made_up.part(6)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        file = encode_tile(part.pixels, part.scores, 3.42)
        times.append(time.perf_counter() - start)
    print(f"a tile of 224 px: {1000 * np.median(times):.1f} ms to encode, {len(file) / 1024:.0f} KiB")


def main() -> None:
    encode_tiles()
    with chromium() as (browser, serve):
        for measure in (drag_sixty, scroll_two_thousand, open_large):
            measure(browser, serve)


if __name__ == "__main__":
    main()
