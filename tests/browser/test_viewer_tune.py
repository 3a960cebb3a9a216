"""Strip, outcome and borderline images, linked, in a real browser: everything follows a drag, labels reach the page."""

import json
import re

import pytest
from playwright.sync_api import expect

from patchcore.maps.regions import clearing_threshold
from patchcore.statistics.intervals import clopper_pearson
from tests.browser.apps import made_up
from tests.browser.apps.tune import DOUBT
from tests.browser.settled import next_frames

COUNT = 24
PARTS = [made_up.part(place) for place in range(COUNT)]
GOOD = [part.score for part in PARTS if part.kind is None] + made_up.good_scores()
DEFECT = [part.score for part in PARTS if part.kind]
SHOWN = """tiles => tiles.map((tile) =>
  [Number(tile.getAttribute('aria-posinset')), tile.querySelector('.name').innerText])"""


def opened(draw, **parameters):
    page = draw("tune", window=(1440, 1380), **parameters).page
    page.locator(".outcome-viewer[data-ready]").wait_for()
    page.locator(".tile.painted:not([hidden])").nth(5).wait_for()
    return page


def near(page):
    return [name for _, name in sorted(page.locator(".tile:not([hidden])").evaluate_all(SHOWN))]


def nearest(threshold, count=6):
    above = sorted((i for i in range(COUNT) if PARTS[i].score > threshold), key=lambda i: PARTS[i].score)
    below = sorted((i for i in range(COUNT) if PARTS[i].score <= threshold), key=lambda i: -PARTS[i].score)
    upper = max(count // 2, count - len(below))
    chosen = above[:upper] + below[: count - min(upper, len(above))]
    return [f"img_{i:04d}.png" for i in sorted(chosen, key=lambda i: -PARTS[i].score)]


def rates(page):
    return page.locator(".outcome .kind p").all_inner_texts()


def percent(rate):
    value = 100 * rate
    return f"{value:.0f} %" if value == 0 or value >= 10 else f"{value:.1f} %"


def said(events, trials, fault):
    low, high = clopper_pearson(events, trials)
    return f"{events} of {trials} {fault}, {percent(events / trials)} ({percent(low)} to {percent(high)})"


def test_everything_follows_a_drag_within_the_browser(draw):
    page = opened(draw)
    handle = page.get_by_role("slider", name="Reject threshold")
    grip, stage = handle.bounding_box(), page.locator(".stage").bounding_box()
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + 40)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(stage["x"] + stage["width"] * (0.85 - 0.07 * step), grip["y"] + 40)
        next_frames(page)
        threshold = float(handle.get_attribute("aria-valuenow"))
        good, defects = rates(page)
        wrong = sum(score > threshold for score in GOOD)
        assert good.startswith(said(wrong, len(GOOD), "false rejects"))
        review = float(page.locator(".handle.review").get_attribute("aria-valuenow"))
        escaped = sum(score <= review for score in DEFECT)
        assert defects.startswith(said(escaped, len(DEFECT), "escapes"))
        assert near(page) == nearest(threshold)
    page.mouse.up()
    changed = sum(score > threshold for score in GOOD + DEFECT) - sum(score > 3.42 for score in GOOD + DEFECT)
    expect(page.locator(".changes")).to_contain_text(re.compile(r"\d+ images?: \w+ → reject"))
    assert changed > 0


def test_a_label_is_shown_at_once_and_reaches_the_page(draw):
    page = opened(draw)
    tile = page.locator(".tile:not([hidden])").filter(has_text=near(page)[0])
    key = tile.get_attribute("data-key")
    before = "good" if PARTS[int(key.removeprefix("part"))].kind is None else "defect"
    other = "defect" if before == "good" else "good"
    assert tile.locator(".labels .on").get_attribute("data-label") == before
    tile.locator(f"[data-label={other}]").click()
    expect(tile.locator(".labels .on")).to_have_attribute("data-label", other)
    page.get_by_text(f"labels {json.dumps([[key, other]])}").wait_for()
    page.locator(".grid").focus()
    page.keyboard.press(other[0])  # the same once more takes it back
    page.get_by_text(f"labels {json.dumps([[key, other], [key, None]])}").wait_for()
    expect(tile.locator(".labels .on")).to_have_count(0)


@pytest.mark.parametrize("place", [0, 1])
def test_judging_by_area_is_what_the_operating_point_does(draw, place):
    page = opened(draw, area=True)
    peaks = [clearing_threshold(part.scores) for part in PARTS]
    rejected = sum(peak > 2.0 for peak in peaks)
    reference = sum(score > 3.42 for score in made_up.good_scores())
    assert (
        page.locator(".parts").nth(place).locator(".reject").count()
        == [
            sum(peak > 2.0 for peak, part in zip(peaks, PARTS, strict=True) if part.kind is None) + reference,
            sum(peak > 2.0 for peak, part in zip(peaks, PARTS, strict=True) if part.kind),
        ][place]
    )
    assert int(page.locator(".counts .reject b").inner_text()) == rejected


@pytest.mark.parametrize("check", [True, False])
def test_a_doubtful_picture_is_to_review_at_best_unless_the_check_is_off(draw, check):
    accepted = nearest(3.42)[-1]  # the lowest score of those shown
    place, reviewed = int(accepted[4:8]), sum(3.10 < part.score <= 3.42 for part in PARTS)
    assert PARTS[place].score <= 3.10
    page = opened(draw, doubted=[place], check=check)
    tile = page.locator(".tile:not([hidden])").filter(has_text=accepted)
    assert tile.locator(".verdict").inner_text() == ("? review" if check else "✓ accept")
    expect(tile.locator(".doubt")).to_have_attribute("title", DOUBT)
    assert int(page.locator(".counts .review b").inner_text()) == reviewed + check
    change = "no verdict changes" if check else "1 image: review → accept"
    expect(page.locator(".changes")).to_contain_text(change)


def test_no_serious_barrier(draw, find_barriers):
    page = opened(draw)
    assert find_barriers(page) == []
