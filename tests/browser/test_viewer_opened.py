"""One current image in gallery and detail, the place that decided, and short windows."""

import base64

import numpy as np
from playwright.sync_api import expect

from patchcore.maps.rendering import HeatScale, overlay
from tests.browser.apps import made_up
from tests.browser.apps.opened import BOX, COUNT
from tests.browser.settled import next_frames, until

ORDER = sorted(range(COUNT), key=lambda number: -made_up.part(number).score)
FOCUS = "() => document.activeElement.shadowRoot?.activeElement?.className"


def name(place):
    return f"img_{ORDER[place]:04d}.png"


def shows(page, place):
    """One image is the current one: in the gallery, in the detail, and in what Python heard."""
    expect(page.locator(".detail .title")).to_have_text(name(place))
    expect(page.locator(".tile[aria-current]")).to_have_count(1)
    assert page.locator(".tile[aria-current] .name").get_attribute("title") == name(place)
    assert page.locator(".tile.active .name").evaluate_all("all => all.map((one) => one.title)") == [
        name(place)
    ]
    assert page.locator(".turning").inner_text().startswith(f"{place + 1} of {COUNT}")


def test_gallery_and_detail_have_one_cursor_and_escape_gives_the_focus_back(draw):
    page = draw("opened", window=(1440, 900)).page
    page.locator(".tile.painted").nth(8).wait_for()
    page.locator(".tile", has_text=name(0)).click()
    shows(page, 0)
    for _ in range(3):  # faster than the page follows
        page.keyboard.press("ArrowRight")
    shows(page, 3)
    page.locator(".pane.overlay canvas").focus()
    page.keyboard.press("ArrowLeft")
    shows(page, 2)
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")  # moves the picture that is zoomed
    page.get_by_role("button", name="Next").click()
    shows(page, 3)
    page.keyboard.press("Escape")
    page.locator(".detail-viewer").wait_for(state="detached")
    until(page, lambda: page.evaluate(FOCUS) == "grid")
    page.keyboard.press("ArrowRight")
    assert page.locator(".tile.active .name").get_attribute("title") == name(4)
    page.keyboard.press("Enter")
    shows(page, 4)


def tile_pixels(page, number):
    width, height, data = page.locator(f".tile[data-key=open{number}] canvas").evaluate(
        """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let text = ''; for (let at = 0; at < data.length; at += 30000)
            text += String.fromCharCode(...data.subarray(at, at + 30000));
        return [canvas.width, canvas.height, btoa(text)]; }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def test_the_place_that_decided_comes_and_goes_with_the_verdict(draw):
    page = draw("opened", window=(1440, 900)).page
    page.locator(".tile.painted").nth(8).wait_for()
    page.get_by_role("radio", name="Both").click()
    page.locator(".tile", has_text=name(0)).click()
    expect(page.get_by_role("button", name="Place that decided")).to_be_visible()
    handle = page.get_by_role("slider", name="Reject threshold")
    part, tile = made_up.part(ORDER[0]), page.locator(f".tile[data-key=open{ORDER[0]}]")

    def apart(box):
        scale = HeatScale.anchored(float(handle.get_attribute("aria-valuenow")))
        expected = overlay(part.pixels, part.scores, scale, mode="both", box=box)
        return (np.abs(tile_pixels(page, ORDER[0]).astype(int) - expected).max(axis=2) > 2).mean()

    until(page, lambda: apart(BOX) < 1e-3 < apart(None))
    while "✕" in tile.inner_text():
        handle.press("PageUp")
        next_frames(page)
    assert apart(None) < 1e-3 < apart(BOX)
    expect(page.get_by_role("button", name="Place that decided")).to_be_hidden()
    handle.press("PageDown")
    expect(page.get_by_role("button", name="Place that decided")).to_be_visible()
    assert apart(BOX) < 1e-3


def test_a_short_window_shows_two_rows_of_tiles_below_one_row_of_controls(draw):
    page = draw("opened", window=(680, 500)).page
    page.locator(".tile.painted").nth(8).wait_for()
    bar, view = page.locator(".toolbar"), page.get_by_role("button", name="View")
    assert bar.bounding_box()["height"] < 40
    assert page.get_by_role("radio", name="Contour").is_hidden()
    tiles = page.locator(".tile:not([hidden])")
    bottoms = tiles.evaluate_all(
        "tiles => tiles.map((tile) => Math.round(tile.getBoundingClientRect().bottom))"
    )
    assert sorted(set(bottoms))[1] - bar.bounding_box()["y"] < 500
    view.click()
    page.get_by_role("radio", name="Contour").click()
    assert view.get_attribute("aria-expanded") == "true"
