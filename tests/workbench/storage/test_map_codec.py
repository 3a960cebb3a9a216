import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from patchcore.errors import DataError
from tests.workbench.viewer.decoding import decode_map
from workbench.storage.map_codec import FINENESS, encode_map

MAPS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(0, 1e4, width=32, allow_nan=False),
)


@settings(deadline=None)
@given(scores=MAPS)
def test_every_score_comes_back_within_the_stated_error(scores):
    raster = encode_map(scores)
    # half a step, and what float32 rounding adds on top
    assert np.abs(decode_map(raster) - scores).max() <= raster.error + 1e-6 * scores.max()


@settings(deadline=None)
@given(scores=MAPS, threshold=st.floats(1e-3, 1e3))
def test_the_error_stays_below_a_thousandth_of_the_threshold(scores, threshold):
    raster = encode_map(scores, threshold)
    if scores.max() < 1e4 * threshold:  # beyond that 24 bits end, and so does any sensible picture
        assert raster.error < FINENESS * threshold


def test_hand_made_codes():
    raster = encode_map(np.array([[0.0, 1.0], [0.5, 65535.0]], np.float32))
    assert (raster.bits, raster.step) == (16, 1.0)
    # 0.5 is exactly half a step and rounds up
    np.testing.assert_array_equal(decode_map(raster), np.array([[0, 1], [1, 65535]], np.float32))


def test_a_low_threshold_under_a_high_peak_takes_finer_codes():
    scores = np.array([[0.0, 1000.0]], np.float32)
    assert encode_map(scores, threshold=500.0).bits == 16
    assert encode_map(scores, threshold=1.0).bits == 24


def test_smooth_maps_become_small():
    y, x = np.mgrid[0:224, 0:224] / 224
    smooth = (2 + np.sin(7 * x + 4 * y) + np.exp(-((x - 0.5) ** 2 + (y - 0.4) ** 2) * 50)).astype(np.float32)
    assert len(encode_map(smooth).data) < 0.5 * smooth.size * 2


def test_uninspected_pixels_count_as_zero():
    raster = encode_map(np.array([[np.nan, -1.0, 2.0]], np.float32))
    np.testing.assert_allclose(decode_map(raster), [[0, 0, 2]], atol=raster.error)


def test_an_empty_map_of_zeros_stays_zero():
    assert not decode_map(encode_map(np.zeros((3, 4), np.float32), 1.0)).any()


@pytest.mark.parametrize("scores", [np.zeros((2, 2, 2)), np.zeros((0, 3)), np.array([[np.inf]])])
def test_an_array_that_is_not_a_map_is_refused(scores):
    with pytest.raises(DataError, match="map"):
        encode_map(scores.astype(np.float32))
