"""The detail in a real browser: true pixels, linked panes, values, distances, keys, and the strip it follows."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.apps import made_up
from tests.browser.settled import next_frames, settle, until

LARGE = 4900  # pixels along each side


def opened(draw, **options):
    watched = draw("detail", **options)
    watched.page.locator(".viewer[data-ready]").wait_for(state="attached", timeout=60_000)
    settle(watched.page, milliseconds=300)
    return watched


def canvas(page, kind="original"):
    return page.locator(f".pane.{kind} canvas")


def pixels_of(page, kind="original"):
    width, height, data = canvas(page, kind).evaluate(
        """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let text = ''; for (let at = 0; at < data.length; at += 30000)
            text += String.fromCharCode(...data.subarray(at, at + 30000));
        return [canvas.width, canvas.height, btoa(text)]; }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def hide_truth(page):
    page.get_by_role("button", name="Truth").click()


def test_at_one_to_one_the_pixels_are_the_originals(draw):
    page = opened(draw).page
    hide_truth(page)
    button(page, "1:1").click()
    pixels = made_up.part(6, 512).pixels.astype(int)

    def shows_the_middle():
        found = pixels_of(page)
        height, width = found.shape[:2]
        left, top = 256 - width // 2, 256 - height // 2
        # an odd pane has the image's middle half a pixel to one side
        parts = [pixels[top - dy :, left - dx :][:height, :width] for dy in (0, 1) for dx in (0, 1)]
        return any(np.array_equal(found, part) for part in parts)

    until(page, shows_the_middle)


def shows_true_pixels(found):
    """Tell whether neighbours in the pane are neighbours in the large image, whose colours are its coordinates."""
    across, down = np.diff(found[..., 0].astype(int), axis=1), np.diff(found[..., 1].astype(int), axis=0)
    return bool((across % 256 == 1).all() and (down % 256 == 1).all())


def wait_for_true_pixels(page):
    until(page, lambda: shows_true_pixels(pixels_of(page)))  # when the lossless crops have come


def test_a_24_megapixel_image_shows_its_true_pixels_where_one_looks(draw):
    watched = opened(draw, side=LARGE, window=(1440, 1080))
    page = watched.page
    hide_truth(page)
    before = len([url for url in watched.requests if "/media/" in url])
    button(page, "1:1").click()
    wait_for_true_pixels(page)
    crops = len([url for url in watched.requests if "/media/" in url]) - before
    assert 1 <= crops <= 4  # those in sight, of twenty-five
    box = canvas(page).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 160, steps=4)
    page.mouse.up()
    wait_for_true_pixels(page)


def test_the_panes_move_together(draw):
    page = opened(draw).page
    hide_truth(page)
    page.get_by_role("radio", name="Off").click()
    fitted = pixels_of(page, "map")
    canvas(page, "map").hover()
    page.mouse.wheel(0, -600)
    until(page, lambda: not np.array_equal(pixels_of(page, "map"), fitted))
    next_frames(page)
    np.testing.assert_array_equal(pixels_of(page, "overlay"), pixels_of(page, "original"))
    button(page, "Fit").click()
    until(page, lambda: np.array_equal(pixels_of(page, "map"), fitted))


def test_the_value_under_the_pointer_and_a_measured_distance(draw):
    page = opened(draw).page
    button(page, "1:1").click()
    box = canvas(page).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 60)
    reading = page.locator(".reading").inner_text()
    x, y, score = re.fullmatch(r"x (\d+)\s+y (\d+)\s+score ([\d.]+)", reading).groups()
    assert float(score) == pytest.approx(made_up.part(6, 512).scores[int(y), int(x)], abs=0.006)
    button(page, "Measure").click()
    page.mouse.move(box["x"] + 50, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 100, steps=3)
    page.mouse.up()
    assert "length 50.0 px, 2.50 mm" in page.locator(".reading").inner_text()


def test_dragging_the_strip_changes_the_detail_without_the_server(draw):
    watched = opened(draw)
    page = watched.page
    assert page.locator(".headline").inner_text() == "✕ Reject 6.26"
    frames, requests = len(watched.frames_sent), len(watched.requests)
    handle = page.get_by_role("slider", name="Reject threshold").bounding_box()
    page.mouse.move(handle["x"] + 11, handle["y"] + 40)
    page.mouse.down()
    end = page.locator(".stage").bounding_box()
    page.mouse.move(end["x"] + end["width"] - 20, handle["y"] + 40, steps=10)
    page.get_by_text("✓ Accept 6.26").or_(page.get_by_text("? Review 6.26")).wait_for()
    assert page.locator(".regions li").count() == 0
    assert (len(watched.frames_sent), len(watched.requests)) == (frames, requests)
    page.mouse.up()
    page.get_by_text(re.compile(r"^moved 6\.")).wait_for()


def test_pixel_threshold_and_smallest_region_move_without_the_server(draw):
    watched = opened(draw)
    page = watched.page
    assert page.locator(".region").count() == 1
    frames = len(watched.frames_sent)
    box = page.get_by_role("slider", name="Smallest region").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=10)
    page.get_by_text("Nothing lies above").wait_for()
    assert len(watched.frames_sent) == frames
    page.mouse.up()
    page.get_by_text(re.compile(r"^rule \(3\.42, ")).wait_for()
    assert page.locator(".region").count() == 0


def test_a_region_leads_to_its_place(draw):
    page = opened(draw).page
    before = page.locator(".zoom").inner_text()
    page.locator(".region").first.click()
    expect(page.locator(".zoom")).not_to_have_text(before)


def test_keyboard_alone_zooms_reads_and_measures(draw):
    page = opened(draw).page
    canvas(page).focus()
    page.keyboard.press("1")
    expect(page.locator(".zoom")).to_have_text("100 %")
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert re.search(r"length \d+\.\d px", page.locator(".reading").inner_text())
    page.keyboard.press("0")
    expect(page.locator(".zoom")).not_to_have_text("100 %")


def test_a_held_key_shows_the_bare_picture(draw):
    page = opened(draw).page
    hide_truth(page)
    canvas(page, "overlay").focus()
    painted = pixels_of(page, "overlay")
    page.keyboard.down("o")
    until(page, lambda: np.array_equal(pixels_of(page, "overlay"), pixels_of(page, "original")))
    page.keyboard.up("o")
    until(page, lambda: np.array_equal(pixels_of(page, "overlay"), painted))


def test_a_name_made_of_markup_stays_a_name(draw):
    hostile = "<img onerror=window.attacked=1 src=x>.png"
    page = opened(draw, name=hostile).page
    assert page.get_by_role("heading", name=hostile).is_visible()
    assert page.evaluate("window.attacked") is None
