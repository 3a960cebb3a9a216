"""Anomaly maps on disk: values, error and size after reading back."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy import ndimage

from workbench.storage.map_files import as_stored, highest_score, read_map, shape_within, write_map


def smooth(shape, sigma, seed=0):
    noise = np.random.default_rng(seed).random(shape)
    values = ndimage.gaussian_filter(noise, sigma)
    return (7.5 * (values - values.min()) / np.ptp(values)).astype(np.float32)


def test_a_map_comes_back_within_half_a_step(tmp_path):
    values = smooth((48, 64), 3)
    write_map(tmp_path / "map.png", values)
    back = read_map(tmp_path / "map.png")
    assert back.dtype == np.float32 and back.shape == (48, 64)
    assert np.abs(back - values).max() <= 7.5 / 65_535 / 2 * 1.01


def test_a_map_of_zeros_comes_back_as_zeros(tmp_path):
    write_map(tmp_path / "map.png", np.zeros((5, 4), np.float32))
    assert (read_map(tmp_path / "map.png") == 0).all()


def test_the_map_of_a_large_image_is_kept_smaller_and_comes_back_in_its_pixels(tmp_path):
    values = smooth((1500, 2100), 2100 * 4 / 224)
    write_map(tmp_path / "map.png", values)
    back = read_map(tmp_path / "map.png")
    assert back.shape == (1500, 2100)
    assert np.abs(back - values).max() < 0.003 * 7.5
    assert (tmp_path / "map.png").stat().st_size < 500_000


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((100, 200), 50, (25, 50)), ((10, 20), 50, (10, 20)), ((1, 2000), 100, (1, 100)), ((7, 7), 7, (7, 7))],
)
def test_shapes_shrink_in_proportion_and_never_grow(shape, side, expected):
    assert shape_within(shape, side) == expected


@pytest.mark.parametrize("shape", [(40, 30), (700, 300)])
def test_a_rounded_map_equals_the_stored_one(tmp_path, shape):
    anomaly_map = np.random.default_rng(0).random(shape, np.float32)
    write_map(tmp_path / "m.png", anomaly_map)
    np.testing.assert_array_equal(as_stored(anomaly_map), read_map(tmp_path / "m.png"))


@pytest.mark.parametrize("shape", [(40, 30), (512, 7), (1, 1)])
def test_the_highest_score_of_a_map_is_read_without_unpacking_it(tmp_path, shape):
    for number, top in enumerate((0.0, 0.1, 1.0, 3.7, 65_535.0)):
        path = tmp_path / f"{number}.png"
        write_map(path, np.random.default_rng(number).random(shape, np.float32) * np.float32(top))
        highest = highest_score(path)
        assert highest is None or highest == read_map(path).max()
        assert (highest is None) == (top == 0)


@pytest.mark.parametrize("top", ["0x1p+9999", "nan", "-0x1p+1", "inf", "zz"])
def test_a_damaged_head_tells_no_highest_score(tmp_path, top):
    path, about = tmp_path / "map.png", PngInfo()
    about.add_text("patchcore:top", top)
    about.add_text("patchcore:size", "4 4")
    Image.fromarray(np.ones((4, 4), np.uint16)).save(path, pnginfo=about)
    assert highest_score(path) is None


def test_the_highest_score_of_a_map_that_was_kept_smaller_takes_unpacking(tmp_path):
    write_map(tmp_path / "map.png", smooth((700, 300), 9))
    assert highest_score(tmp_path / "map.png") is None
    (tmp_path / "other.png").write_bytes(b"no picture")
    assert highest_score(tmp_path / "other.png") is None
