"""Deciding in a real browser on the sample product: a rule, its counts, a drag, a label, and the decision kept."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.settled import settle
from workbench.inspections.batches import good_batch, score_batch
from workbench.inspections.samples import list_samples, score_sample
from workbench.inspectors.versions import find_inspector
from workbench.storage.workspace import Workspace

PATIENCE = 120_000  # milliseconds; the machine may be busy
WASHER = "sample-washer"
PICTURES = """() => [...document.querySelectorAll('*')]
  .flatMap((host) => [...(host.shadowRoot?.querySelectorAll('.tile.painted') ?? [])])
  .map((tile) => tile.dataset.key + tile.querySelector('canvas').toDataURL()).join()"""
PAINTED = ".tile.painted:not([hidden])"


@pytest.fixture(scope="module")
def root(house):
    """A workspace with the washer's inspector, its test images scored, and the maps of its good ones."""
    workspace = Workspace(house.workspace)
    score_sample(workspace, list_samples()[0])
    version = find_inspector(workspace, WASHER).current
    assert len(list(score_batch(workspace, good_batch(workspace, version), version))) == 45
    workspace.database.close()
    return workspace.root


def test_from_a_rule_to_a_decision_that_is_kept(house, open_page, root, find_barriers):
    page = open_page(f"{house.url}/tune?inspector={WASHER}", height=1500, dark=True).page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.locator(".outcome-viewer[data-ready]").wait_for()
    expect(page.locator(".tile .labels.fixed").first).to_be_attached()  # the good images have maps
    page.locator(".detail-viewer[data-ready]").wait_for()
    settle(page)
    assert find_barriers(page) == []

    choose_one_in_two_hundred(page)
    drag(page)
    label_and_store(page, root)
    page.reload()
    expect(page.locator(".pc-facts")).to_contain_text("set by hand")
    expect(page.locator(".changes")).to_contain_text("no verdict changes")


def choose_one_in_two_hundred(page: Page) -> None:
    choose(page, "Reject above", "Reject at most 1 good part in …")
    expect(page.get_by_text(re.compile("at least 154 more good images are needed"))).to_be_visible()
    page.get_by_role("button", name="Set it from the worst of these 45 good images").click()
    expect(page.get_by_text(re.compile("more good images are needed"))).to_have_count(0)
    expect(page.locator(".outcome .kind").first).to_contain_text("0 of 45 false rejects, 0 % (0 % to 7.9 %)")
    expect(page.locator(".outcome .kind").last).to_contain_text(re.compile(r"\d+ of 24 escapes"))
    choose(page, "Reject above", "Let no known defect through")
    expect(page.locator(".st-key-panel_rules")).to_contain_text("Lets no known defect through.")
    expect(page.locator(".outcome .kind").last).to_contain_text("0 of 24 escapes")
    settle(page)  # the line stands where it will be taken hold of


def drag(page: Page) -> None:
    """The images nearest the line repaint while it moves, before anything is let go."""
    handle = page.get_by_role("slider", name="Reject threshold")
    grip = handle.bounding_box()
    assert grip is not None
    before = page.evaluate(PICTURES)
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + 40)
    page.mouse.down()
    page.mouse.move(grip["x"] - 80, grip["y"] + 40, steps=8)  # among the good, and below where heat begins
    page.wait_for_function(f"before => ({PICTURES})() !== before", arg=before)
    assert "trial" not in page.url or "by_hand" not in page.url
    page.mouse.up()
    expect(page.locator(".st-key-panel_rules")).to_contain_text("Set by hand to")
    expect(page.locator(".changes")).to_contain_text(re.compile(r"\d+ images?: \w+ → \w+"))


def label_and_store(page: Page, root) -> None:
    tile = page.locator(PAINTED).filter(has=page.locator(".labels:not(.fixed)")).first
    key = tile.get_attribute("data-key")
    wanted = "good" if tile.locator(".labels .on").get_attribute("data-label") == "defect" else "defect"
    tile.locator(f"[data-label={wanted}]").click()
    expect(page.locator(f'.tile[data-key="{key}"] .labels .on')).to_have_attribute("data-label", wanted)
    expect(page.locator(".outcome .kind").last).to_contain_text(
        re.compile(r"of 23 escapes" if wanted == "good" else "of 25 escapes")
    )
    page.get_by_role("button", name="Undo the last label").click()
    expect(page.locator(".outcome .kind").last).to_contain_text("of 24 escapes")
    page.get_by_role("textbox", name="Note").fill("agreed with quality")
    page.get_by_role("textbox", name="Note").press("Enter")
    page.get_by_role("button", name="Use this").click()
    expect(page.get_by_role("button", name="Use this")).to_be_disabled()
    workspace = Workspace(root)
    point = find_inspector(workspace, WASHER).current.operating_point
    workspace.database.close()
    assert (point["rule"]["name"], point["note"]) == ("by_hand", "agreed with quality")
    assert len(point["evidence"]["defect"]) == 24
    page.get_by_text("Earlier thresholds").click()
    expect(page.get_by_role("button", name="Restore").first).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select box, when no run is on its way that would close it again."""
    settle(page)
    page.get_by_role("combobox", name=re.compile(re.escape(label))).click()
    page.get_by_role("option", name=option).click()
