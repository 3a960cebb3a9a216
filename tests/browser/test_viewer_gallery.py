"""The gallery in a real browser: dragging, order, keys, thousands of images, names that try to be markup."""

import json
import re

import pytest

from tests.browser.apps import made_up
from tests.browser.settled import settle, until

STEPS = 40  # places of the threshold in a drag; each repaints sixty tiles
HOSTILE = "<img onerror=window.attacked=1 src=x>.png"

# Both thresholds and the three counts, two frames on.
NEXT_STATE = """viewer => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done([
  ...['reject', 'review'].map((name) => Number(viewer.querySelector(`.handle.${name}`).getAttribute('aria-valuenow'))),
  ...['reject', 'review', 'accept'].map((name) => Number(viewer.querySelector(`.counts .${name} b`).textContent)),
]))))"""
BLANK_TILES = """grid => {
  const frame = grid.getBoundingClientRect();
  const seen = [...grid.querySelectorAll('.tile:not([hidden])')].filter((tile) => {
    const {top, bottom} = tile.getBoundingClientRect();
    return bottom > frame.top && top < frame.bottom;
  });
  return [seen.length, seen.filter((tile) => !tile.classList.contains('painted')).length];
}"""


def texts(page, prefix):
    return page.get_by_text(re.compile(f"^{prefix} ")).inner_text().removeprefix(f"{prefix} ")


def counts(page):
    return [int(page.locator(f".counts .{name} b").inner_text()) for name in ("reject", "review", "accept")]


def wait_for_events(page, count):
    page.wait_for_function(
        """count => [...document.querySelectorAll('[data-testid=stText]')].some(
            (text) => text.innerText.startsWith('events ') && JSON.parse(text.innerText.slice(7)).length === count)""",
        arg=count,
    )
    return json.loads(texts(page, "events"))


def painted(page, count):
    page.locator(".tile.painted:not([hidden])").nth(count - 1).wait_for(state="attached", timeout=60_000)


def test_dragging_the_threshold_needs_no_server_and_tells_it_once(draw):
    watched = draw("gallery", window=(1440, 1780), count=60, tile_width=130, height=1300)
    page = watched.page
    painted(page, 60)
    settle(page)
    handle = page.get_by_role("slider", name="Reject threshold")
    viewer = page.locator(".viewer")
    grip = handle.bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + 40
    scores = [made_up.part(number).score for number in range(60)]
    requests, frames = len(watched.requests), len(watched.frames_sent)
    page.locator(".grid").evaluate("grid => grid.paintLog.length = 0")
    page.mouse.move(x, y)
    page.mouse.down()
    stage = page.locator(".stage").bounding_box()
    for step in range(STEPS):
        page.mouse.move(stage["x"] + 40 + step * (stage["width"] - 80) / (STEPS - 1), y)
        reject, review, *shown = viewer.evaluate(NEXT_STATE)
        rejected = sum(score > reject for score in scores)
        reviewed = sum(review < score <= reject for score in scores)
        assert shown == [rejected, reviewed, 60 - rejected - reviewed]
    assert len(page.locator(".grid").evaluate("grid => grid.paintLog")) >= STEPS
    assert (len(watched.requests), len(watched.frames_sent)) == (requests, frames)
    page.mouse.up()
    (event,) = wait_for_events(page, 1)
    assert event == [pytest.approx(reject, rel=1e-5), None]
    assert len(watched.frames_sent) == frames + 1
    assert len(watched.requests) == requests  # and the run that followed sent no picture anew
    assert counts(page) == [rejected, reviewed, 60 - rejected - reviewed]


def test_two_thousand_images_scroll_without_blank_tiles(draw):
    watched = draw("gallery", count=2000, kinds=40, height=700)
    page = watched.page
    painted(page, 15)
    grid = page.locator(".grid")
    assert grid.evaluate("grid => grid.querySelectorAll('.tile').length") < 100
    box = grid.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    for _ in range(25):
        page.mouse.wheel(0, 350)
        page.wait_for_timeout(60)
        page.wait_for_function(f"grid => ({BLANK_TILES})(grid)[1] === 0", arg=grid.element_handle())
    grid.focus()
    page.keyboard.press("End")
    page.wait_for_function(f"grid => ({BLANK_TILES})(grid)[1] === 0", arg=grid.element_handle())
    last = page.locator(".tile.active")
    assert last.get_attribute("aria-posinset") == last.get_attribute("aria-setsize") == "2000"


CUT = """tiles => tiles.flatMap((tile) => {
  const frame = tile.querySelector('.frame').getBoundingClientRect();
  const canvas = tile.querySelector('canvas');
  const box = canvas.getBoundingClientRect();
  const apart = ['top', 'right', 'bottom', 'left'].filter((side) => Math.abs(box[side] - frame[side]) > 1);
  return frame.height > frame.width + 1 || apart.length || getComputedStyle(canvas).objectFit !== 'contain'
    ? [[canvas.width, canvas.height, apart]] : [];
})"""


@pytest.mark.parametrize(("tile_width", "end"), [(104, ".png"), (300, ", crop 2 of 4.png")])
def test_upright_and_wide_pictures_are_whole_and_names_keep_what_tells_them_apart(draw, tile_width, end):
    sizes = [[224, 75], [75, 224], [224, 28], [20, 224], [224, 224]]
    names = [f"line 3, camera upper left, shift B, part {number:04d}{end}" for number in range(10)]
    page = draw("gallery", count=10, names=names, sizes=sizes, tile_width=tile_width).page
    painted(page, 10)
    tiles = page.locator(".tile:not([hidden])")
    assert tiles.evaluate_all(CUT) == []
    assert (
        len(set(tiles.locator("canvas").evaluate_all("all => all.map((one) => one.width / one.height)"))) >= 4
    )
    hidden = """all => all.map((name) => {
      const end = name.querySelector('bdi > :last-child');
      const tail = end.getBoundingClientRect(), box = name.getBoundingClientRect();
      return [end.textContent, name.title, tail.right > box.right + 1];
    })"""
    for tail, title, is_cut in tiles.locator(".name").evaluate_all(hidden):
        assert title in names and tail.removesuffix("…") in title and re.fullmatch(r".*\d{4}(\.png|…)", tail)
        assert not is_cut


def test_wrong_verdicts_look_wrong(draw):
    page = draw("gallery", count=6, mislabelled=[0, 1]).page
    painted(page, 6)
    found = page.locator(".tile:not([hidden])").evaluate_all(
        """tiles => tiles.map((tile) => [tile.querySelector('.name').title, tile.querySelector('.error').textContent,
            tile.getAttribute('aria-label').includes(tile.querySelector('.error').textContent),
            ['--shade', '--reject'].map((name) => getComputedStyle(tile).getPropertyValue(name))])"""
    )
    # Number 0 is a scratch far above the threshold, 1 a good part far below it; 3 is a scratch and rejected.
    assert {name: error for name, error, *_ in found if error} == {
        "img_0000.png": "false reject",
        "img_0001.png": "escape",
    }
    assert all(is_said for _, _, is_said, _ in found)
    assert {name for name, *_, (shade, reject) in found if shade == reject} == {
        "img_0000.png",
        "img_0001.png",
        "img_0003.png",
    }


def test_worst_first_then_by_name_then_only_the_rejected(draw):
    page = draw("gallery").page
    painted(page, 10)
    scores = [made_up.part(number).score for number in range(24)]
    names = page.locator(".tile:not([hidden])")

    def shown():
        places = names.evaluate_all(
            """tiles => tiles.map((tile) =>
                [Number(tile.getAttribute('aria-posinset')), tile.querySelector('.name').innerText])"""
        )
        return [name for _, name in sorted(places)]

    worst_first = sorted(range(24), key=lambda number: -scores[number])
    assert shown()[:10] == [f"img_{number:04d}.png" for number in worst_first[:10]]
    page.get_by_role("radio", name="Name").click()
    assert shown()[:3] == ["img_0000.png", "img_0001.png", "img_0002.png"]
    page.get_by_role("radio", name=re.compile("^Reject")).click()
    assert shown() == [f"img_{number:04d}.png" for number in range(24) if scores[number] > 3.42]


def test_keyboard_alone_walks_selects_and_opens(draw):
    page = draw("gallery").page
    painted(page, 10)
    for _ in range(30):
        page.keyboard.press("Tab")
        if (
            page.evaluate("() => document.activeElement.shadowRoot?.activeElement?.getAttribute('role')")
            == "listbox"
        ):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    worst = sorted(range(24), key=lambda number: -made_up.part(number).score)
    assert page.locator(".tile.active .name").inner_text() == f"img_{worst[1]:04d}.png"
    page.keyboard.press("Space")
    page.get_by_text(f'selected ["part{worst[1]}"]').wait_for()
    page.keyboard.press("Enter")
    assert wait_for_events(page, 1) == [[None, f"part{worst[1]}"]]
    # the run left focus and place where they were
    page.keyboard.press("ArrowRight")
    assert page.locator(".tile.active .name").inner_text() == f"img_{worst[2]:04d}.png"


def test_the_threshold_moves_by_keyboard(draw):
    page = draw("gallery").page
    painted(page, 10)
    handle = page.get_by_role("slider", name="Reject threshold")
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.get_by_text("events [[").wait_for()
    # on a busy machine the keys may reach Python in more than one go
    until(page, lambda: json.loads(texts(page, "events"))[-1][0] == pytest.approx(shown(handle), rel=1e-5))
    assert shown(handle) < 3.42


def shown(handle):
    return float(handle.get_attribute("aria-valuenow"))


def test_the_words_of_two_thresholds_at_one_place_lie_one_below_the_other(draw):
    page = draw("gallery").page
    painted(page, 10)
    for name in ("Review threshold", "Reject threshold"):
        page.get_by_role("slider", name=name).focus()
        page.keyboard.press("Home")
    page.locator(".handle.review.lower").wait_for()
    review, reject = (page.locator(f".handle.{name} .text").bounding_box() for name in ("review", "reject"))
    assert reject["y"] + reject["height"] - 3 <= review["y"]  # letters end before the boxes do
    assert review["y"] + review["height"] <= page.locator(".stage").bounding_box()["y"] + 60


def test_dots_and_tiles_point_at_each_other(draw):
    page = draw("gallery").page
    painted(page, 10)
    page.locator(".tile:not([hidden])").first.hover()
    assert page.locator(".tip").is_visible()
    name = page.locator(".tile.hover .name").inner_text()
    assert page.locator(".tip").inner_text().startswith(name)


def test_a_name_made_of_markup_stays_a_name(draw):
    watched = draw("gallery", count=3, names=[HOSTILE])
    page = watched.page
    painted(page, 3)
    assert HOSTILE in page.locator(".tile .name").all_inner_texts()
    assert page.evaluate("window.attacked") is None
    assert page.locator(".viewer img").count() == 0


def test_nothing_comes_from_elsewhere(draw):
    watched = draw("gallery")
    painted(watched.page, 10)
    own = watched.page.url.partition("?")[0]
    local = (own, own.replace("localhost", "127.0.0.1"), "blob:", "data:")
    assert [url for url in watched.requests if not url.startswith(local)] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_works_on_a_narrow_screen_and_in_both_themes(draw, dark):
    page = draw("gallery", window=(1024, 900), dark=dark).page
    painted(page, 5)
    assert page.locator(".viewer").get_attribute("data-scheme") == ("dark" if dark else "light")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    beyond = page.locator(".viewer").evaluate("viewer => viewer.scrollWidth - viewer.clientWidth")
    assert beyond <= 3  # the room for the ring around a tile
