import numpy as np
import pytest

from patchcore.errors import UnreadableImage
from patchcore.images.reading import read_image

RNG = np.random.default_rng(11)


def test_two_exposures_of_one_part_stay_different():
    dark = RNG.integers(0, 60, (16, 16), dtype=np.uint8)
    assert read_image(dark).pixels.max() < 0.25  # never stretched to the image's own maximum


def test_value_range_scales_16_bit_data():
    array = RNG.integers(100, 4096, (9, 8), dtype=np.uint16)
    image = read_image(array, value_range=(100.0, 4095.0))
    np.testing.assert_allclose(image.pixels[..., 0], (array - 100.0) / 3995, atol=1e-6)
    assert image.record.notes == ()


def test_values_beyond_the_range_are_clipped_and_counted():
    array = np.array([[0, 50, 100], [150, 200, 250]], np.uint16)
    image = read_image(array, value_range=(60.0, 180.0))
    np.testing.assert_allclose(image.pixels[..., 1], [[0, 0, 1 / 3], [0.75, 1, 1]], atol=1e-6)
    assert image.record.notes == (
        "Values were clipped to the value range 60 to 180: 2 pixels were above it, 2 below.",
    )


def test_value_range_leaves_8_bit_images_alone():
    array = RNG.integers(0, 256, (9, 8), dtype=np.uint8)
    image = read_image(array, value_range=(0.0, 4095.0))
    np.testing.assert_allclose(image.pixels[..., 0], array / 255, atol=1e-7)
    assert "value range was not applied" in image.record.notes[0]


@pytest.mark.parametrize(("highest", "bits"), [(200, 8), (1000, 10), (4095, 12), (16383, 14)])
def test_unused_bits_of_a_16_bit_container_are_noted(highest, bits):
    (note,) = read_image(np.array([[0, highest]], np.uint16)).record.notes
    assert f"{bits}-bit data" in note and f"0 to {2**bits - 1}" in note


def test_a_16_bit_container_that_is_used_has_no_note():
    assert read_image(np.array([[0, 40960]], np.uint16)).record.notes == ()
    assert read_image(np.array([[0, 4095]], np.uint16), value_range=(0, 4095)).record.notes == ()


@pytest.mark.parametrize("array", [[[-0.5, 0.2]], [[0.0, 812.0]]])
def test_float_beyond_0_to_1_needs_a_value_range(array):
    array = np.array(array)
    with pytest.raises(UnreadableImage, match="Set a value range"):
        read_image(array)
    low, high = array.min(), array.max()
    image = read_image(array, value_range=(low, high))
    np.testing.assert_allclose(image.pixels[..., 0], (array - low) / (high - low), atol=1e-6)


def test_float_may_exceed_1_by_rounding():
    assert read_image(np.array([[1 + 5e-7, 0]])).pixels.max() == 1


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.int8])
def test_integers_that_say_no_white_need_a_value_range(dtype):
    array = np.array([[-3 if np.dtype(dtype).kind == "i" else 0, 100]], dtype)
    with pytest.raises(UnreadableImage, match=f"its {np.dtype(dtype)} values run from .* to 100"):
        read_image(array)
    low = float(array.min())
    np.testing.assert_allclose(read_image(array, value_range=(low, 100.0)).pixels[0, :, 0], [0, 1])


def test_large_integers_are_scaled_in_double_precision():
    array = np.array([[2**31, 2**31 + 1, 2**31 + 2]], np.uint32)
    image = read_image(array, value_range=(2.0**31, 2.0**31 + 2))
    np.testing.assert_array_equal(image.pixels[0, :, 0], [0, 0.5, 1])


def test_nan_is_counted():
    array = np.ones((3, 3, 3), np.float16)
    array[0, 0, 0] = np.nan
    with pytest.raises(UnreadableImage, match="1 of its values are NaN"):
        read_image(array)
