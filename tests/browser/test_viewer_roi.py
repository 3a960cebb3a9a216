"""Drawing the region of interest in a real browser, and the mask that comes back."""

import numpy as np
import pytest

from tests.browser.conftest import VIEWERS
from tests.browser.settled import settle

WIDTH, HEIGHT = 400, 300


class Editor:
    """The editor on its page, and the file in which the page keeps what one test draws."""

    def __init__(self, draw, file):
        self._draw, self._file = draw, file

    def __call__(self, **parameters):
        page = self._draw("roi", file=self._file.stem, **parameters).page
        page.locator(".viewer[data-ready]").wait_for(state="attached", timeout=60_000)
        settle(page, milliseconds=300)
        return page

    def saved(self, page, runs):
        page.get_by_text(f"runs {runs}", exact=True).wait_for()
        return np.load(self._file.with_suffix(".npy"))


@pytest.fixture
def editor(draw, shared_servers, request):
    return Editor(draw, shared_servers(VIEWERS).workspace / f"{request.node.name}.json")


class Place:
    """From pixels of the image to those of the page and back, as the fitted view shows them."""

    def __init__(self, page):
        box = page.locator(".stage-roi canvas").bounding_box()
        self.scale = min(box["width"] / WIDTH, box["height"] / HEIGHT)
        self.left = box["x"] + round(box["width"] / 2 - WIDTH / 2 * self.scale)
        self.top = box["y"] + round(box["height"] / 2 - HEIGHT / 2 * self.scale)

    def __call__(self, x, y):
        return self.left + x * self.scale, self.top + y * self.scale


def drag(page, *points):
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def test_a_rectangle_by_mouse_is_a_mask_of_the_original(editor):
    page = editor()
    at = Place(page)
    drag(page, at(50.2, 40.2), at(300.2, 200.2))
    mask = editor.saved(page, 2)
    assert mask.shape == (HEIGHT, WIDTH)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    # the pointer stands on whole pixels of the screen, 1.5 to one of the image
    np.testing.assert_allclose(
        [rows[0], rows[-1] + 1, columns[0], columns[-1] + 1], [40, 200, 50, 300], atol=1
    )
    assert mask.sum() == rows.size * columns.size


def test_polygon_brush_and_eraser_and_undo(editor):
    page = editor()
    at = Place(page)
    page.get_by_role("radio", name="Polygon").click()
    for corner in [(100, 50), (300, 50), (200, 250)]:
        page.mouse.click(*at(*corner))
    page.mouse.click(*at(100, 50))
    triangle = editor.saved(page, 2)
    assert triangle.sum() == pytest.approx(200 * 200 / 2, rel=0.01)
    page.get_by_role("radio", name="Eraser").click()
    drag(page, at(150, 80), at(250, 80))
    erased = editor.saved(page, 3)
    assert not (erased & ~triangle).any()
    assert (triangle & ~erased).sum() == pytest.approx(100 * 20 + np.pi * 100, rel=0.05)
    page.get_by_role("radio", name="Brush").click()
    drag(page, at(20, 280), at(60, 280))
    assert editor.saved(page, 4)[280, 40]
    page.get_by_role("button", name="Undo").click()
    np.testing.assert_array_equal(editor.saved(page, 5), erased)
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(editor.saved(page, 6), triangle)
    page.get_by_role("button", name="Redo").click()
    np.testing.assert_array_equal(editor.saved(page, 7), erased)


def test_a_saved_drawing_comes_back_and_goes_on(editor):
    page = editor()
    at = Place(page)
    drag(page, at(50, 40), at(200, 200))
    before = editor.saved(page, 2)
    page = editor(stored=True)
    assert page.get_by_text(f"inside {before.sum()}").is_visible()
    drag(page, at(220, 40), at(300, 200))
    after = editor.saved(page, 2)
    assert (after & before).sum() == before.sum()
    assert after[100, 260]


def test_undone_steps_survive_that_the_page_gives_the_drawing_back(editor):
    page = editor()
    at = Place(page)
    drag(page, at(50, 40), at(200, 200))
    editor.saved(page, 2)
    page = editor(stored=True)
    drag(page, at(220, 40), at(300, 200))
    both = editor.saved(page, 2)
    page.get_by_role("button", name="Undo").click()
    assert editor.saved(page, 3).sum() < both.sum()
    page.get_by_role("button", name="Redo").click()
    np.testing.assert_array_equal(editor.saved(page, 4), both)


def test_what_the_page_takes_back_is_gone(editor):
    page = editor(resettable=True)
    at = Place(page)
    drag(page, at(50, 40), at(200, 200))
    page.get_by_text("inside all").wait_for(state="detached")
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("inside all").wait_for()
    page.get_by_role("button", name="Rerun").click()
    page.get_by_text("The whole image is inspected").wait_for()
    assert page.get_by_text("inside all").is_visible()


def test_a_mask_can_be_drawn_on(editor):
    page = editor(mask=True)
    assert page.get_by_text("inside 40000").is_visible()
    assert page.get_by_text("33.3 % of the image is inspected").is_visible()
    page.get_by_role("radio", name="Exclude").click()
    at = Place(page)
    drag(page, at(100, 50), at(200, 250))
    assert editor.saved(page, 2).sum() == pytest.approx(20000, rel=0.02)


def test_keyboard_alone_draws(editor):
    page = editor()
    page.locator(".stage-roi canvas").focus()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    mask = editor.saved(page, 2)
    scale = Place(page).scale
    assert mask.sum() == pytest.approx(150 / scale * 100 / scale, rel=0.05)
    assert mask[151, 201]


def test_flicking_shows_the_other_images(editor):
    page = editor()
    page.get_by_role("button", name="Next image").click()
    assert page.get_by_text("good/002.png (2 of 4)").is_visible()
    page.keyboard.press("[")
    assert page.get_by_text("good/001.png (1 of 4)").is_visible()
