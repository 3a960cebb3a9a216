"""What the browser paints and finds, against the drawings and regions of patchcore/maps, pixel for pixel."""

import base64

import numpy as np
import pytest

from patchcore.maps.regions import find_regions
from patchcore.maps.rendering import HeatScale, map_picture, overlay
from tests.browser.apps import made_up
from tests.browser.settled import next_frames
from tests.workbench.viewer.decoding import decode_map
from workbench.storage.map_codec import encode_map

# The modules the page has loaded, all their names in one object.
MODULES = """async () => {
  window.viewer = {};
  for (const {name} of performance.getEntriesByType('resource')) {
    if (/\\/media\\/\\w+\\.(js|mjs|es)$/.test(name)) Object.assign(window.viewer, await import(name));
  }
  window.bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  window.textOf = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 30000) text += String.fromCharCode(...bytes.subarray(at, at + 30000));
    return btoa(text);
  };
}"""
PAINT = """async ([pixels, data, header, threshold, top, mode, opacity, box]) => {
  const map = await viewer.decodeMap(bytesOf(data), header);
  const scale = new viewer.Scale(threshold, top);
  const base = new ImageData(Uint8ClampedArray.from(bytesOf(pixels)), map.width, map.height);
  const picture = {base, map, width: map.width, height: map.height, share: 1};
  const painting = {mode, scale, blend: viewer.blendTable(opacity), minArea: 1, box};
  const painted = mode === 'map' ? viewer.mapPicture(map, scale) : viewer.paintPicture(picture, painting).data;
  return textOf(painted);
}"""
REGIONS = """async ([data, header, threshold, smallest]) => {
  const map = await viewer.decodeMap(bytesOf(data), header);
  return viewer.findRegions(map, threshold, smallest).regions;
}"""


@pytest.fixture(scope="module")
def page(parts_page):
    page = parts_page.draw("painting").page
    page.locator(".tile.painted").nth(9).wait_for(state="attached", timeout=60_000)
    page.evaluate(MODULES)
    return page


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def painted_by_browser(page, pixels, raster, scale, mode, opacity, box=None):
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    arguments = [text(rgba), base64.b64encode(raster.data).decode(), raster.header()]
    answer = page.evaluate(PAINT, [*arguments, scale.threshold, scale.top, mode, opacity, box])
    return np.frombuffer(base64.b64decode(answer), np.uint8).reshape(rgba.shape)[..., :3]


def rough_map(seed, height, width):
    """Islands of every size, some at the edge, values on and around the threshold."""
    random = np.random.default_rng(seed)
    coarse = random.random((height // 5 + 2, width // 5 + 2), dtype=np.float32)
    fine = np.kron(coarse, np.ones((5, 5), np.float32))[:height, :width]
    return (2 * fine + 0.4 * random.random((height, width), dtype=np.float32)).astype(np.float32)


CASES = [(seed, 60 + 17 * seed, 150 - 11 * seed) for seed in range(5)]


@pytest.mark.parametrize("mode", ["heat", "contour", "both", "off", "map"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_browser_paints_what_rendering_paints(page, case, mode):
    seed, height, width = case
    raster = encode_map(rough_map(seed, height, width), 1.3)
    scores = decode_map(raster)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    threshold = float(scores[3, 4]) if seed == 0 else 1.1 + 0.1 * seed  # once exactly the score of a pixel
    scale, opacity = HeatScale(threshold, 2.1 + 0.2 * seed), [0.6, 1.0, 0.0, 0.35, 0.85][seed]
    box = [None, (20, 10, 60, 40), (-9, -3, 12, 2000), (90, 50, 91, 51), (0, 0, 4, 9)][seed]
    found = painted_by_browser(page, pixels, raster, scale, mode, opacity, box)
    expected = (
        map_picture(scores, scale)
        if mode == "map"
        else overlay(pixels, scores, scale, mode=mode, opacity=opacity, box=box)
    )
    np.testing.assert_array_equal(found, expected)


def test_wide_contours_of_large_maps(page):
    raster = encode_map(rough_map(9, 700, 900), 1.3)
    pixels = np.full((700, 900, 3), 90, np.uint8)
    scale = HeatScale(1.6, 3.0)
    box = (300, 200, 480, 333)
    found = painted_by_browser(page, pixels, raster, scale, "contour", 0.6, box)
    np.testing.assert_array_equal(found, overlay(pixels, decode_map(raster), scale, mode="contour", box=box))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_ten_tiles_on_the_page_equal_rendering_in_both_themes(draw, dark):
    """Against the map as it was before encoding: a colour step and pixels exactly at the threshold may differ."""
    shown = draw("painting", dark=dark).page
    shown.locator(".tile.painted").nth(9).wait_for(state="attached", timeout=60_000)
    for mode in ("Heat", "Contour", "Both"):
        shown.get_by_role("radio", name=mode, exact=True).click()
        next_frames(shown)
        assert_tiles_equal_rendering(shown, mode.lower())


def assert_tiles_equal_rendering(shown, mode):
    scale = HeatScale.anchored(3.42)
    tiles = shown.locator(".tile:not([hidden])").evaluate_all(
        """tiles => tiles.map((tile) => { const canvas = tile.querySelector('canvas');
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let text = ''; for (let at = 0; at < data.length; at += 30000)
            text += String.fromCharCode(...data.subarray(at, at + 30000));
        return [tile.dataset.key, canvas.width, canvas.height, btoa(text)]; })"""
    )
    assert len(tiles) == 10
    for key, width, height, data in tiles:
        found = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]
        part = made_up.part(int(key.removeprefix("part")))
        expected = overlay(part.pixels, part.scores, scale, mode=mode, opacity=0.6)
        apart = np.abs(found.astype(int) - expected).max(axis=2)
        assert (apart > 2).mean() < 1e-3
        assert np.median(apart) == 0


@pytest.mark.parametrize("smallest", [1, 6, 40])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_browser_finds_the_regions_that_patchcore_finds(page, case, smallest):
    seed, height, width = case
    raster = encode_map(rough_map(seed, height, width), 1.3)
    threshold = 1.2 + 0.12 * seed
    data = base64.b64encode(raster.data).decode()
    found = page.evaluate(REGIONS, [data, raster.header(), threshold, smallest])
    expected = find_regions(decode_map(raster), threshold, smallest)
    assert [(region["area"], tuple(region["box"])) for region in found] == [
        (one.area, one.box) for one in expected
    ]
    np.testing.assert_allclose(
        [region["score"] for region in found], [one.score for one in expected], rtol=1e-6
    )
    np.testing.assert_allclose(
        [region["centroid"] for region in found], [one.centroid for one in expected], rtol=1e-9, atol=1e-9
    )


def test_a_24_bit_map_arrives_whole(page):
    scores = np.array([[0, 0.001, 900.0], [0.5, 0.25, 0.125]], np.float32)
    raster = encode_map(scores, 0.5)
    assert raster.bits == 24
    data = base64.b64encode(raster.data).decode()
    codes = page.evaluate(
        "async ([data, header]) => { const map = await viewer.decodeMap(bytesOf(data), header);"
        " return [...map.codes].map((code) => Math.fround(code * map.step)); }",
        [data, raster.header()],
    )
    np.testing.assert_array_equal(np.array(codes, np.float32).reshape(2, 3), decode_map(raster))
