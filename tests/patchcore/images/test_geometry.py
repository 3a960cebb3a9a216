import json

import numpy as np
import pytest
import torch
from scipy.ndimage import center_of_mass
from torchvision.transforms import v2

from patchcore.errors import SettingsError
from patchcore.images.geometry import Geometry, Placement, prepare, resize, thumbnail

RNG = np.random.default_rng(2)
SHAPES = [
    (224, 224),
    (289, 240),
    (321, 511),
    (33, 1000),
    (1000, 33),
    (7, 5),
    (1, 300),
    (300, 1),
    (3, 3),
    (1, 1),
]
MODES = ["fit", "stretch", "crop"]


def picture(shape):
    return RNG.random((*shape, 3), dtype=np.float32)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [*SHAPES, (1, 5000), (5000, 2)])
def test_any_shape_fills_the_input_and_comes_back(mode, shape):
    prepared = prepare(picture(shape), Geometry(mode, 224))
    assert prepared.input.shape == (224, 224, 3)
    assert prepared.input.dtype == np.float32
    assert 0 <= prepared.input.min() <= prepared.input.max() <= 1
    assert prepared.valid.any()
    back = prepared.placement.map_to_original(np.ones((224, 224), np.float32))
    assert (back.shape, back.dtype) == (shape, np.float32)
    np.testing.assert_array_equal(back > 0, prepared.placement.valid_to_original())
    assert prepared.placement.valid_to_original().any()


def test_fit_centres_and_repeats_the_border():
    pixels = picture((100, 200))
    prepared = prepare(pixels, Geometry("fit", 224))
    inside = resize(pixels, (112, 224))
    np.testing.assert_array_equal(prepared.input[56:168], inside)
    np.testing.assert_array_equal(prepared.input[:56], np.broadcast_to(inside[:1], (56, 224, 3)))
    np.testing.assert_array_equal(prepared.input[168:], np.broadcast_to(inside[-1:], (56, 224, 3)))
    np.testing.assert_array_equal(prepared.valid.all(axis=1), (np.arange(224) >= 56) & (np.arange(224) < 168))
    assert prepared.placement.valid_to_original().all()


def test_stretch_fills_everything():
    prepared = prepare(picture((100, 200)), Geometry("stretch", 64))
    assert prepared.valid.all()
    assert prepared.placement.scale == (0.64, 0.32)


@pytest.mark.parametrize("shape", [(300, 400), (289, 240), (321, 511), (257, 256)])
def test_crop_is_the_papers_protocol(shape):
    pixels = picture(shape)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    expected = v2.CenterCrop(224)(v2.Resize(256, antialias=True)(tensor)).permute(1, 2, 0).numpy()
    prepared = prepare(pixels, Geometry("crop", 224))
    np.testing.assert_allclose(prepared.input, expected, atol=1e-6)
    inspected = prepared.placement.valid_to_original().sum() / (shape[0] * shape[1])
    resized = 256 / min(shape)
    assert inspected == pytest.approx(224**2 / (shape[0] * shape[1] * resized**2), rel=0.02)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "shape", [(289, 240), (321, 511), (1021, 767), (150, 2000), (2001, 150), (50, 61), (48, 4001)]
)
def test_a_marked_spot_goes_there_and_back_within_a_pixel(mode, shape):
    placement = prepare(np.zeros((*shape, 3), np.float32), Geometry(mode, 224)).placement
    y_scale, x_scale = placement.scale
    half = max(2, round(3 / min(y_scale, x_scale)))  # about seven pixels of the input
    y, x = shape[0] // 2 - min(7, shape[0] // 4), shape[1] // 2 + min(11, shape[1] // 4)
    pixels = np.zeros((*shape, 3), np.float32)
    pixels[max(y - half, 0) : y + half + 1, x - half : x + half + 1] = 1
    spot = prepare(pixels, Geometry(mode, 224)).input[..., 0]
    back = placement.map_to_original(spot)
    found, true = center_of_mass(back), center_of_mass(pixels[..., 0])
    assert found == pytest.approx(true, abs=1.0)


def box_to_input(placement, box):
    """Bring (x0, y0, x1, y1) from original pixels to the input's, unrounded and unclipped."""
    (y_scale, x_scale), (top, left) = placement.scale, placement.offset
    xs = [(x - placement.trim[1]) * x_scale + left for x in (box[0], box[2])]
    ys = [(y - placement.trim[0]) * y_scale + top for y in (box[1], box[3])]
    return xs[0], ys[0], xs[1], ys[1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_go_there_and_back_within_a_pixel(mode, shape):
    placement = prepare(picture(shape), Geometry(mode, 224)).placement
    height, width = shape
    for box in [(0, 0, width, height), (width // 3, height // 3, width // 3 + 1, height // 3 + 1)]:
        there = box_to_input(placement, box)
        assert np.abs(np.subtract(placement.box_to_original(there), box)).max() <= 1
    if mode != "crop":
        whole = (0, 0, width, height)
        assert placement.box_to_original(box_to_input(placement, whole)) == whole


def test_boxes_are_clipped_to_the_original_and_never_empty():
    placement = prepare(picture((100, 200)), Geometry("fit", 224)).placement
    assert placement.box_to_original((0, 0, 224, 224)) == (0, 0, 200, 100)
    assert placement.box_to_original((112, 0, 120, 8)) == (100, 0, 108, 1)  # wholly on the padding above
    assert placement.box_to_original((220, 216, 224, 224)) == (196, 99, 200, 100)
    assert placement.box_to_original((8, 56, 16, 64)) == (7, 0, 15, 8)  # 8 / 1.12 = 7.14 to 14.29


def test_crop_leaves_the_rest_at_zero():
    placement = prepare(picture((300, 400)), Geometry("crop", 224)).placement
    back = placement.map_to_original(np.ones((224, 224), np.float32))
    margin_y, margin_x = round(300 * 16 / 256), round((400 - 224 * 300 / 256) / 2)
    assert (back[: margin_y - 1] == 0).all()
    assert (back[:, : margin_x - 1] == 0).all()
    assert (back[margin_y + 1 : -margin_y - 1, margin_x + 1 : -margin_x - 1] == 1).all()


def test_linear_ramp_comes_back_as_the_same_ramp():
    ramp = np.broadcast_to(np.linspace(0, 1, 500, dtype=np.float32)[None, :, None], (300, 500, 3))
    prepared = prepare(ramp, Geometry("fit", 224))
    back = prepared.placement.map_to_original(prepared.input[..., 0])
    np.testing.assert_allclose(back[:, 5:-5], ramp[:, 5:-5, 0], atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_noise_outside_the_roi_does_not_change_the_result(mode):
    roi = np.zeros((30, 40), bool)
    roi[8:20, 10:33] = True
    at_full_size = np.kron(roi, np.ones((10, 10), bool))
    one = picture((300, 400))
    other = np.where(at_full_size[..., None], one, picture((300, 400)))
    geometry = Geometry(mode, 224)
    first, second = prepare(one, geometry, roi), prepare(other, geometry, roi)
    np.testing.assert_array_equal(first.input, second.input)
    np.testing.assert_array_equal(first.valid, second.valid)
    assert 0.1 < first.valid.mean() < 0.7
    back = first.placement.valid_to_original()
    assert (back & ~at_full_size).sum() / at_full_size.sum() < 0.02  # a border of half an input pixel
    values = first.placement.map_to_original(np.ones((224, 224), np.float32))
    np.testing.assert_array_equal(values == 1, back)


def test_roi_of_the_original_size_and_its_emptiness():
    roi = np.zeros((50, 60), bool)
    with pytest.raises(SettingsError, match="leaves nothing"):
        prepare(picture((50, 60)), Geometry("fit", 64), roi)
    roi[:, :1] = True  # lies in what the crop cuts off
    with pytest.raises(SettingsError, match="leaves nothing"):
        prepare(picture((50, 60)), Geometry("crop", 64), roi)


def test_placement_survives_json():
    placement = prepare(picture((300, 401)), Geometry("crop", 64)).placement
    again = Placement.from_dict(json.loads(json.dumps(placement.to_dict())))
    np.testing.assert_array_equal(again.valid, placement.valid)
    assert again.box_to_original((3, 5, 20, 30)) == placement.box_to_original((3, 5, 20, 30))
    masked = Placement.from_dict(placement.to_dict(), np.eye(64, dtype=bool))
    np.testing.assert_array_equal(masked.valid, np.eye(64, dtype=bool))


def test_map_of_another_input_is_refused():
    placement = prepare(picture((30, 40)), Geometry("fit", 64)).placement
    with pytest.raises(ValueError, match="does not belong"):
        placement.map_to_original(np.ones((32, 32), np.float32))


def test_a_misspelt_mode_is_refused():
    with pytest.raises(SettingsError):
        Geometry("zoom", 224)


def test_read_only_pixels_are_welcome():
    pixels = picture((30, 40))
    pixels.flags.writeable = False
    assert prepare(pixels, Geometry("fit", 64)).input.shape == (64, 64, 3)


@pytest.mark.parametrize("shape", [(300, 200), (1, 4000), (4000, 1), (3, 3), (96, 96)])
def test_thumbnail_fits_and_never_grows(shape):
    small = thumbnail(picture(shape), 96)
    assert small.dtype == np.uint8
    assert max(small.shape[:2]) == min(96, max(shape))
    assert min(small.shape[:2]) >= 1


def test_thumbnail_is_the_mean_of_a_checkerboard():
    board = np.indices((200, 200)).sum(axis=0) % 2
    pixels = np.repeat(board[..., None], 3, axis=2).astype(np.float32)
    assert np.abs(thumbnail(pixels, 50)[2:-2, 2:-2].astype(int) - 127).max() <= 2
