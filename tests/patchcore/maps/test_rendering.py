import io
import math
import time

import matplotlib
import numpy as np
import pytest
from PIL import Image

from patchcore.errors import DataError, SettingsError
from patchcore.maps.colours import (
    AGREED,
    ALPHA_RAMP,
    CONTOUR_LINE,
    CONTOUR_RIM,
    EXTRA,
    HEAT_TABLE,
    MAP_GROUND,
    MISSED,
)
from patchcore.maps.rendering import (
    HeatScale,
    agreement_picture,
    alpha_table,
    encode_png,
    map_picture,
    outline,
    overlay,
    scaled_box,
)

SCALE = HeatScale.anchored(3.42)


def fround(value: float) -> float:
    return float(np.float32(value))


def browser_level(score: float, scale: HeatScale) -> int:
    gain = fround(255 / (scale.top - scale.threshold))
    place = fround(fround(fround(score - fround(scale.threshold)) * gain) + 0.5)
    return 0 if math.isnan(place) else math.floor(min(max(place, 0), 255))


def browser_alpha(level: int, opacity: float) -> int:
    ramp = min(level / ALPHA_RAMP, 1)
    return math.floor(255 * opacity * (ramp * ramp * (3 - 2 * ramp)) + 0.5)


def browser_heat(pixel: list[int], level: int, opacity: float) -> list[int]:
    alpha = browser_alpha(level, opacity)
    return [
        (v * (255 - alpha) + int(c) * alpha + 127) // 255
        for v, c in zip(pixel, HEAT_TABLE[level], strict=True)
    ]


def browser_contour(scores: np.ndarray) -> np.ndarray:
    """0 nothing, 1 line, 2 rim, pixel by pixel from the written rule."""
    height, width = scores.shape
    inside = scores > np.float32(SCALE.threshold)
    thick = max(1, math.floor(min(height, width) / 450 + 0.5))
    rim = (thick + 1) // 2
    marks = np.zeros((height, width), int)
    for y in range(height):
        for x in range(width):
            reach = thick if inside[y, x] else rim
            around = [
                bool(0 <= j < height and 0 <= i < width and inside[j, i])
                for j in range(y - reach, y + reach + 1)
                for i in range(x - reach, x + reach + 1)
            ]
            marks[y, x] = (1 if not all(around) else 0) if inside[y, x] else (2 if any(around) else 0)
    return marks


@pytest.fixture
def scores() -> np.ndarray:
    values = np.random.default_rng(0).uniform(2.5, 8, (24, 30)).astype(np.float32)
    values[0, :4] = [np.nan, np.inf, -np.inf, 3.42]
    values[12:, :20] = 1.0
    return values


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (24, 30, 3), dtype=np.uint8)


def test_table_is_the_upper_three_quarters_of_inferno():
    colours = np.array(matplotlib.colormaps["inferno"].colors)
    places = 0.25 * 255 + 0.75 * np.arange(256)
    expected = [np.interp(places, np.arange(256), colours[:, k]) * 255 for k in range(3)]
    assert HEAT_TABLE.shape == (256, 3)
    assert np.abs(np.stack(expected, 1) - HEAT_TABLE).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("opacity", [0.0, 0.35, 0.6, 1.0])
def test_heat_equals_the_written_rule_pixel_for_pixel(scores, picture, opacity):
    painted = overlay(picture, scores, SCALE, mode="heat", opacity=opacity)
    for y, x in np.ndindex(scores.shape):
        level = browser_level(float(scores[y, x]), SCALE)
        assert painted[y, x].tolist() == browser_heat(picture[y, x].tolist(), level, opacity)


def test_contour_equals_the_written_rule_pixel_for_pixel(scores, picture):
    marks = browser_contour(scores)
    expected = picture.copy()
    expected[marks == 1] = CONTOUR_LINE
    expected[marks == 2] = CONTOUR_RIM
    assert np.array_equal(overlay(picture, scores, SCALE, mode="contour"), expected)
    both = overlay(picture, scores, SCALE, mode="both")
    heat = overlay(picture, scores, SCALE, mode="heat")
    assert np.array_equal(both[marks > 0], expected[marks > 0])
    assert np.array_equal(both[marks == 0], heat[marks == 0])


@pytest.mark.parametrize("box", [(3, 5, 12, 11), (-4, 2, 8, 99), (20, 20, 21, 21)], ids=str)
def test_box_of_the_place_that_decided_is_dashed_in_every_mode_but_off(scores, picture, box):
    height, width = scores.shape
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(width, box[2]), min(height, box[3])
    for mode in ("heat", "contour", "both"):
        expected = overlay(picture, scores, SCALE, mode=mode)
        for y, x in np.ndindex(
            height, width
        ):  # step 6 of the written rule; small pictures have lines of 2 pixels
            if x0 <= x < x1 and y0 <= y < y1 and min(x - x0, x1 - 1 - x, y - y0, y1 - 1 - y) < 2:
                expected[y, x] = CONTOUR_RIM if (x - x0 + y - y0) // 6 % 2 else CONTOUR_LINE
        assert np.array_equal(overlay(picture, scores, SCALE, mode=mode, box=box), expected)
    assert np.array_equal(overlay(picture, scores, SCALE, mode="off", box=box), picture)


def test_scaled_box_covers_all_that_the_box_covered():
    assert scaled_box((10, 11, 30, 31), (100, 200, 3), (50, 100)) == (5, 5, 15, 16)
    assert scaled_box((0, 0, 1, 1), (1000, 500), (100, 50)) == (0, 0, 1, 1)


def test_nothing_is_painted_at_or_below_the_threshold(picture):
    scores = np.full((24, 30), np.float32(3.42))
    for mode in ("heat", "contour", "both", "off"):
        assert np.array_equal(overlay(picture, scores, SCALE, mode=mode), picture)


def test_same_score_same_colour_in_every_image():
    low = np.full((2, 2), 5.0, np.float32)
    mixed = np.array([[5.0, 90.0], [0.0, 3.0]], np.float32)
    black = np.zeros((2, 2, 3), np.uint8)
    assert np.array_equal(overlay(black, low, SCALE)[0, 0], overlay(black, mixed, SCALE)[0, 0])


def test_opacity_fades_in_without_steps():
    alpha = alpha_table(0.6).astype(int)
    assert alpha[0] == 0 and alpha[ALPHA_RAMP] == alpha[255] == 153
    assert np.all(np.diff(alpha) >= 0) and np.diff(alpha).max() <= 10


def test_positions_are_clipped_to_the_scale():
    scores = np.array([[-np.inf, 0, 3.42, 5.13, 6.84, np.inf, np.nan]], np.float32)
    assert SCALE.position(scores)[0].tolist() == pytest.approx([0, 0, 0, 0.5, 1, 1, 0], abs=1e-6)
    assert SCALE.level(scores)[0].tolist() == [0, 0, 0, 128, 255, 255, 0]


def test_float_pictures_round_to_the_nearest_byte():
    picture = np.array([[[0.0, 0.5, 1.0], [-0.2, 1.2, 0.1]]], np.float32)
    painted = overlay(picture, np.zeros((1, 2), np.float32), SCALE, mode="off")
    assert painted.tolist() == [[[0, 128, 255], [0, 255, 26]]]


def test_map_picture_is_grey_below_and_hot_above():
    painted = map_picture(np.array([[0.0, 1.71, 3.42, 20.0]], np.float32), SCALE)
    ground = np.array(MAP_GROUND)
    assert painted[0, 0].tolist() == ground.tolist()
    assert painted[0, 1].tolist() == (ground + 20).tolist()
    assert painted[0, 2].tolist() == (ground + 40).tolist()
    assert painted[0, 3].tolist() == HEAT_TABLE[255].tolist()


@pytest.mark.parametrize("threshold", [0.0, -1.0])
def test_a_threshold_that_is_not_positive_still_paints(threshold):
    scale = HeatScale.anchored(threshold)
    assert scale.top == threshold + 1
    assert map_picture(np.full((3, 3), threshold + 2, np.float32), scale)[0, 0].tolist() == [252, 255, 164]


def test_outline_closes_at_the_edge_of_the_picture():
    mask = np.zeros((6, 6), bool)
    mask[:4, :4] = True
    expected = mask.copy()
    expected[1:3, 1:3] = False
    assert np.array_equal(outline(mask), expected)
    assert np.array_equal(outline(mask, width=2), mask)


def test_large_pictures_get_wider_lines():
    scores = np.zeros((1000, 1000), np.float32)
    scores[300:600, 300:600] = 9
    painted = overlay(np.zeros((1000, 1000, 3), np.uint8), scores, SCALE, mode="contour")
    assert (painted[450] == CONTOUR_LINE).all(-1).sum() == 2 * 2
    assert (painted[450] == CONTOUR_RIM).all(-1).sum() == 2 * 1


def test_png_round_trip():
    for shape in ((5, 7), (5, 7, 3), (5, 7, 4)):
        picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(picture)))), picture)
    with pytest.raises(DataError, match="bytes"):
        encode_png(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize("scale", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.inf), (0.0, 1e-40)])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(SettingsError, match="heat scale"):
        HeatScale(*scale)


def test_misfits_are_refused(picture, scores):
    with pytest.raises(DataError, match="same pixels"):
        overlay(picture[:5], scores, SCALE)
    with pytest.raises(DataError, match="rows and columns"):
        map_picture(scores[0], SCALE)
    with pytest.raises(SettingsError, match="Opacity"):
        overlay(picture, scores, SCALE, opacity=1.5)
    with pytest.raises(SettingsError, match="overlay"):
        overlay(picture, scores, SCALE, mode="hot")


def test_sixty_overlays_are_quick():
    picture = np.zeros((224, 224, 3), np.uint8)
    scores = np.zeros((224, 224), np.float32)
    scores[60:120, 60:120] = 9
    start = time.perf_counter()
    for _ in range(60):
        overlay(picture, scores, SCALE, mode="both")
    assert time.perf_counter() - start < 1.0  # about 0.05 s; room for a busy machine


def test_agreement_has_three_colours_and_three_patterns():
    pixels = np.full((60, 90, 3), 100, np.uint8)
    masks = np.zeros((3, 60, 90), bool)
    for kind, mask in enumerate(masks):
        mask[10:40, 30 * kind + 2 : 30 * kind + 28] = True
    before = pixels.copy()
    painted = agreement_picture(pixels, *masks)
    assert np.array_equal(pixels, before)
    assert np.array_equal(painted[~masks.any(axis=0)], pixels[~masks.any(axis=0)])
    for mask, colour in zip(masks, (AGREED, MISSED, EXTRA), strict=True):
        assert (painted[outline(mask)] == colour).all()
    shares = [(painted[mask & ~outline(mask)] != 100).any(axis=1).mean() for mask in masks]
    assert shares[0] == 1
    assert shares[1] == pytest.approx(1 / 3, abs=0.05) and shares[2] == pytest.approx(1 / 3, abs=0.05)
    rising, falling = ((painted[..., 0] != 100) & mask & ~outline(mask) for mask in masks[1:])
    y, x = np.argwhere(rising[13:30, 40:50])[0] + (13, 40)
    assert rising[y + 3, x - 3] and not rising[y + 3, x + 1]
    y, x = np.argwhere(falling[13:30, 65:80])[0] + (13, 65)
    assert falling[y + 3, x + 3]


def test_agreement_colours_differ_in_lightness_too():
    lightness = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (AGREED, MISSED, EXTRA))
    assert lightness[2] - lightness[1] > 60


def test_agreement_and_picture_show_the_same_pixels():
    mask = np.zeros((4, 4), bool)
    with pytest.raises(DataError, match="4, 4"):
        agreement_picture(np.zeros((4, 5, 3), np.uint8), mask, mask, mask)
