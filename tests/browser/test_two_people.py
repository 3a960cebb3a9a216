"""Two people at once, each in a browser of their own: nothing is mixed up, and no change is lost without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patchcore.thresholds.operating_point import OperatingPoint
from tests.browser.conftest import opened
from tests.browser.settled import settle
from tests.workbench.parts import plate
from workbench.inspections.batches import list_batches, list_results
from workbench.inspectors.point_history import point_history
from workbench.inspectors.versions import find_inspector, good_images, list_inspectors, list_versions
from workbench.jobs.requests import list_jobs
from workbench.people.roles import local_person
from workbench.storage.workspace import Workspace
from workbench.uploads import drafts

PATIENCE = 120_000
GOOD = 4
PAINTED = ".tile[data-verdict] canvas"
NAMES = ("Plates of Ada", "Plates of Ben")


def plates(folder: Path, first: int, count: int, *, scratched: bool = False) -> Path:
    """Write parts, each unlike all others, and return their folder."""
    folder.mkdir(parents=True)
    for seed in range(first, first + count):
        (folder / f"{folder.name}_{seed}.png").write_bytes(plate(seed, scratched=scratched))
    return folder


@pytest.fixture(scope="module")
def workspace(house: Any) -> Iterator[Workspace]:
    with closing(Workspace(house.workspace)) as found:
        yield found


@pytest.fixture(scope="module")
def two(house: Any, workspace: Workspace, browser: Any) -> Iterator[tuple[Page, Page]]:
    """Two browsers, which go on where the test before has left them."""
    expect.set_options(timeout=PATIENCE)
    for left in drafts.list_drafts(workspace):  # of other tests: a new session would open the newest
        drafts.discard_draft(workspace, left.key)
    watched = [opened(browser, f"{house.url}/build") for _ in range(2)]
    for one in watched:
        one.page.set_default_timeout(PATIENCE)
    yield (watched[0].page, watched[1].page)
    for one in watched:
        one.page.context.close()
    assert not [error for one in watched for error in one.errors]


def test_two_build_and_inspect_at_once_and_neither_sees_the_others(workspace, two, tmp_path):
    good = [plates(tmp_path / f"good{who}", 100 * who, GOOD) for who in range(2)]
    for page, name, folder in zip(two, NAMES, good, strict=True):
        prepare_build(page, name, folder)
    for page in two:
        page.get_by_role("button", name="Build", exact=True).click()
    for page, name in zip(two, NAMES, strict=True):
        expect(page.get_by_role("button", name="Inspect images")).to_be_visible()
        expect(page.locator(".pc-inspector").first).to_contain_text(name)
    inspectors = {one.name: one for one in list_inspectors(workspace) if one.name in NAMES}
    ids = {one.id for one in inspectors.values()}
    jobs = [job for job in list_jobs(workspace) if job.result and job.result.get("inspector_id") in ids]
    assert len(jobs) == 2 and max(job.started for job in jobs) < min(job.finished for job in jobs)
    for name, folder in zip(NAMES, good, strict=True):
        built_from = {image.name.split("/")[-1] for image in good_images(workspace, inspectors[name].current)}
        assert built_from == {path.name for path in folder.iterdir()}

    test = [plates(tmp_path / f"test{who}", 100 * who + 50, 3, scratched=True) for who in range(2)]
    for page in two:
        page.get_by_role("button", name="Inspect images").click()
    for page, folder in zip(two, test, strict=True):
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
    for page, folder, name in zip(two, test, NAMES, strict=True):
        expect(page.locator(PAINTED)).to_have_count(3)
        shown = page.locator(".tile .name").all_inner_texts()
        assert {text.strip() for text in shown} == {path.name for path in folder.iterdir()}
        (batch,) = list_batches(workspace, inspectors[name].id)
        results = list_results(workspace, batch.id, inspectors[name].current.id)
        assert len(results) == 3 and all(one.error is None for one in results)


def test_two_inspect_with_the_same_inspector_and_each_keeps_their_own_images(house, workspace, two, tmp_path):
    inspector = next(one for one in list_inspectors(workspace) if one.name == NAMES[0])
    folders = [plates(tmp_path / f"lot{who}", 300 + 10 * who, 3) for who in range(2)]
    for page in two:
        if inspector.id not in page.url:
            page.goto(f"{house.url}/inspect?inspector={inspector.id}")
        page.get_by_role("button", name="Add images").click()
    for page, folder in zip(two, folders, strict=True):
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
    for page, folder in zip(two, folders, strict=True):
        expect(page.locator(".tile .name", has_text=folder.name)).to_have_count(3)
        expect(page.locator(PAINTED)).to_have_count(3)
    for folder in folders:
        batch = next(one for one in list_batches(workspace, inspector.id) if one.name.startswith(folder.name))
        results = list_results(workspace, batch.id, inspector.current.id)
        assert [one.image.name for one in results] == sorted(path.name for path in folder.iterdir())


def test_the_second_change_of_one_inspector_is_refused_once(house, workspace, two):
    inspector = next(one for one in list_inspectors(workspace) if one.name == NAMES[0])
    first, second = two
    build = next(
        job for job in list_jobs(workspace) if (job.result or {}).get("inspector_id") == inspector.id
    )
    first.goto(f"{house.url}/inspect?inspector={inspector.id}&threshold=0.125&review=none")
    second.goto(f"{house.url}/build?job={build.id}&inspector={inspector.id}")
    slider = second.get_by_role("slider", name="Bank size, share of all patches")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    use = second.get_by_role("button", name="Use 5 %")
    expect(use).to_be_enabled()

    first.get_by_role("button", name="Use this threshold").click()
    first.get_by_role("button", name="Put it in force").click()  # every known image would be rejected
    expect(first.get_by_role("button", name="Back to 0.125").first).to_be_visible()
    assert point(workspace, inspector.id).reject == 0.125
    use.click()
    told = second.locator(".st-key-refusal")
    expect(told).to_contain_text(f"{local_person().name} changed it (set threshold, ")
    expect(told).to_contain_text("your change was not made")
    assert (point(workspace, inspector.id).reject, len(list_versions(workspace, inspector.id))) == (0.125, 1)
    expect(second.locator(".pc-table").first).to_contain_text("0.125")  # the present state
    settle(second)
    second.get_by_role("button", name="Use 5 %").click()
    expect(told).to_have_count(0)
    expect(second.locator(".pc-inspector").first).to_contain_text(re.compile(r"4\.\d %|5 %"))

    first.get_by_role("link", name="Tune", exact=True).click()  # has not seen what comes now
    expect(first.get_by_text("Where to draw the line")).to_be_visible()
    handle = first.get_by_role("slider", name="Reject threshold").first
    handle.focus()
    handle.press("PageDown")
    expect(first.get_by_role("button", name="Use this", exact=True)).to_be_enabled()
    expect(first.locator(".st-key-scoring_maps")).to_have_count(0)
    settle(first)  # a run that started after the change below would show it
    second.goto(f"{house.url}/inspect?inspector={inspector.id}&threshold=0.25&review=none")
    second.get_by_role("button", name="Use this threshold").click()
    second.get_by_role("button", name="Put it in force").click()
    expect(second.get_by_role("button", name="Back to 0.250").first).to_be_visible()
    before = len(point_history(workspace, inspector.id))
    first.get_by_role("button", name="Use this", exact=True).click()
    asked, refusal = first.get_by_role("button", name="Put it in force"), first.locator(".st-key-refusal")
    expect(asked.or_(refusal)).to_be_visible()
    if asked.is_visible():  # the scores decide whether the threshold has consequences
        asked.click()
    expect(refusal).to_contain_text("changed it (set threshold, ")
    assert (point(workspace, inspector.id).reject, len(point_history(workspace, inspector.id))) == (
        0.25,
        before,
    )


def point(workspace: Workspace, inspector_id: str) -> OperatingPoint:
    inspector = find_inspector(workspace, inspector_id)
    assert inspector is not None and inspector.current is not None
    return OperatingPoint.from_dict(inspector.current.operating_point)


def prepare_build(page: Page, name: str, folder: Path) -> None:
    """Go through the steps up to the last button."""
    page.get_by_role("textbox", name="Name of the inspector").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(folder)
    page.get_by_role("button", name=f"Use these {GOOD} images").click()
    expect(page.get_by_alt_text("network input")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Build", exact=True)).to_be_enabled()
