"""The page Show in a real browser, by keyboard alone: the scenes from the product to the report, and out again."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import findings_in_both_themes, ready_page
from tests.browser.settled import next_frames
from tests.pages.prepared import prepare
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import find_inspector
from workbench.storage.workspace import Workspace

ID = "washer-on-show"
PATIENCE = 120_000  # milliseconds; the machine may be busy
FRAME = 40.0  # milliseconds
SLIDES = 24
# Each key is painted and read back, so that work which the browser puts off counts too.
SLIDE = """async ([keys, selector]) => {
  const place = [...document.querySelectorAll('*')].map((one) => one.shadowRoot?.querySelector(selector)).find(Boolean);
  const context = place.getContext('2d'), times = [];
  for (let at = 0; at < keys; at++) {
    const began = performance.now();
    window.dispatchEvent(new KeyboardEvent('keydown', {key: at % 8 < 4 ? 'ArrowUp' : 'ArrowDown'}));
    const asked = performance.now() - began;
    await new Promise(requestAnimationFrame);
    const painting = performance.now();
    context.getImageData(place.width >> 1, place.height >> 1, 1, 1);
    times.push(asked + performance.now() - painting);
  }
  return times.sort((one, other) => one - other)[keys >> 1];
}"""


@pytest.fixture(scope="module")
def address(house) -> str:
    """The page for an inspector whose three test images are labelled."""
    prepare(house.workspace, ID)
    with closing(Workspace(house.workspace)) as workspace:
        inspector = find_inspector(workspace, ID)
        [batch] = [one.id for one in list_batches(workspace, ID)]
        for place, result in enumerate(list_results(workspace, batch, inspector.current_id)):
            set_label(workspace, result.image.id, ("scratch", "good", "dent", "dent")[place])
    return f"{house.url}/show?inspector={ID}&batch={batch}"


def test_a_demonstration_goes_from_the_product_to_the_report_by_keyboard(address, open_page):
    page = ready_page(open_page(address, width=1280, height=720), PATIENCE)
    show = page.locator(".show-viewer")
    expect(show).to_have_attribute("data-scene", "product")
    expect(page.locator(".show-opening")).to_contain_text("4 photographs of good parts")
    page.keyboard.press("PageDown")
    go_through_the_parts(page)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(show).to_have_attribute("data-scene", "replay")
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    expect(page.get_by_text("3 of 3 parts")).to_be_visible()
    expect(page.locator(".show-tally")).to_contain_text(re.compile("[1-9]"))
    page.keyboard.press("PageDown")
    numbers = page.locator(".show-figures .show-number")
    expect(numbers.nth(0)).to_contain_text("of 1,000 defective parts are accepted")
    expect(numbers.nth(1)).to_contain_text(re.compile("between .* with 95 % confidence"))
    fill_in_costs(page)
    page.keyboard.press("PageDown")
    move_the_threshold(page)
    assert not findings_in_both_themes(page)
    page.keyboard.press("PageDown")
    expect(page.locator(".show-limits")).to_contain_text("may stay unseen")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="Save the report")
    expect(link).to_have_attribute("download", re.compile(r"^report_Washer.*\.html$"))
    page.keyboard.press("PageUp")
    expect(show).to_have_attribute("data-scene", "limits")
    page.keyboard.press("Home")
    expect(show).to_have_attribute("data-scene", "product")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Inspect", exact=True)).to_be_visible()


def go_through_the_parts(page: Page) -> None:
    """See a verdict, the closest good part, and the slider; the second part is there again after a reload."""
    expect(page.locator(".show-verdict")).to_contain_text(re.compile("Accept|Reject|Review"))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".show-pair figure")).to_have_count(2)
    slider = page.get_by_role("slider", name="Photograph to heat")
    before = int(slider.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("ArrowUp")
    expect(slider).to_have_attribute("aria-valuenow", str(before + 5))
    assert page.evaluate(SLIDE, [SLIDES, ".show-frame canvas"]) < FRAME
    told = page.locator(".show-parts").get_attribute("data-shown")
    assert f"scene=parts&part={told}" in page.url
    page.reload()
    expect(page.locator(".show-parts")).to_have_attribute("data-shown", str(told))


def move_the_threshold(page: Page) -> None:
    """Move the threshold on trial, and back to the one in force."""
    trial = page.get_by_role("slider", name="Threshold on trial")
    in_force = float(trial.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("Shift+ArrowUp")
    expect(page.get_by_text("nothing is changed from here")).to_be_visible()
    assert float(trial.get_attribute("aria-valuenow") or 0) > in_force
    assert page.evaluate(SLIDE, [SLIDES, ".show-wall canvas"]) < FRAME
    page.keyboard.press("0")
    expect(page.get_by_text("The threshold in force")).to_be_visible()


def fill_in_costs(page: Page) -> None:
    """Give the costs, at first one that is no number; a decimal comma counts."""
    page.keyboard.press("m")
    for typed in ("120", "dear", "40000", "2"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        re.compile('Cost of a false reject: "dear" is not a number')
    )
    page.keyboard.press("Control+a")
    page.keyboard.type("0,5")
    page.keyboard.press("Enter")
    expect(page.locator(".show-money")).to_contain_text(re.compile("EUR a month, between .* and .* EUR"))
    next_frames(page)
    assert "costs=120%3B0.5%3B40000%3B2%3BEUR" in page.url
