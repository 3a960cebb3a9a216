"""The region of interest in Build: drawn by mouse, there again after a reload, used in building and in scoring."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from patchcore.images.reading import read_image
from tests.browser.settled import settle
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.versions import list_inspectors, load_model
from workbench.storage.workspace import Workspace

WASHER = Path(__file__).resolve().parents[2] / "sample_data" / "washer"
NAME = "Half a washer"
SIDE, GOOD = 448, 6  # pixels of the sample's images
DRAWN = (60, 50, 330, 300)  # x0, y0, x1, y1
PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture
def good_folder(tmp_path) -> Path:
    folder = tmp_path / "good parts"
    folder.mkdir()
    for path in sorted((WASHER / "train" / "good").iterdir())[:GOOD]:
        shutil.copy(path, folder)
    return folder


def test_a_region_drawn_by_mouse_is_kept_and_used(house, open_page, find_barriers, good_folder):
    page = open_page(f"{house.url}/build").page
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    go_to_the_editor(page, good_folder)
    expect(page.get_by_text("The whole image is inspected")).to_be_visible()
    draw_rectangle(page, DRAWN)
    share = (DRAWN[2] - DRAWN[0]) * (DRAWN[3] - DRAWN[1]) / SIDE**2
    said = page.get_by_text(r" % of the image is inspected").inner_text()
    assert float(said.split()[0]) == pytest.approx(100 * share, abs=1)
    settle(page, milliseconds=1000)  # what was drawn reaches the server
    assert find_barriers(page) == []
    page.reload()
    page.locator(".roi-viewer[data-ready]").wait_for(state="attached")
    expect(page.get_by_text(f"{NAME}, {GOOD} images")).to_be_visible()
    expect(page.get_by_text(said)).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.get_by_role("button", name="Inspect images")).to_be_visible()
    assert find_barriers(page) == []
    check_what_was_built(Workspace(house.workspace))


def go_to_the_editor(page: Page, folder: Path) -> None:
    page.get_by_role("textbox", name="Name of the inspector").fill(NAME)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=file]").set_input_files(folder)
    page.get_by_role("button", name=f"Use these {GOOD} images").click()
    page.locator(".roi-viewer[data-ready]").wait_for(state="attached")
    expect(page.get_by_alt_text("network input")).to_be_visible()
    settle(page)


def draw_rectangle(page: Page, box: tuple[int, int, int, int]) -> None:
    canvas = page.locator(".stage-roi canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    scale = min(place["width"], place["height"]) / SIDE
    left = place["x"] + (place["width"] - SIDE * scale) / 2
    top = place["y"] + (place["height"] - SIDE * scale) / 2
    page.mouse.move(left + box[0] * scale, top + box[1] * scale)
    page.mouse.down()
    page.mouse.move(left + box[2] * scale, top + box[3] * scale, steps=6)
    page.mouse.up()


def check_what_was_built(workspace: Workspace) -> None:
    """Neither scores nor what is learned depend on the pixels outside, bit by bit."""
    [inspector] = [one for one in list_inspectors(workspace) if one.name == NAME]
    version = inspector.current
    settings, model = BuildSettings.from_dict(version.settings), load_model(workspace, version)
    mask = settings.roi.mask()
    assert mask.shape == (SIDE, SIDE)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    edges = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(edges, DRAWN, atol=2)
    np.testing.assert_array_equal(model.roi_, mask)
    noise = np.random.default_rng(0).random((SIDE, SIDE, 3), dtype=np.float32)

    def flipped(path: Path) -> np.ndarray:
        return np.where(mask[..., None], read_image(path).pixels, noise)

    good = [WASHER / "train" / "good" / Path(record.name).name for record in model.image_records_]
    again = settings.model().fit([(path.name, flipped(path)) for path in good], roi=mask)
    for test in sorted((WASHER / "test" / "scratch").iterdir())[:2]:
        score = model.score(test).score
        assert score > 0
        assert model.score(flipped(test)).score == score
        assert again.score(test).score == score
    workspace.database.close()
