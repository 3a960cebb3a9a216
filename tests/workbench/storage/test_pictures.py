import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import DataError
from patchcore.maps import rendering
from tests.workbench.viewer.decoding import decode_map
from workbench.storage.map_codec import MapRaster
from workbench.storage.pictures import (
    as_bytes,
    encode_detail,
    encode_tile,
    fitted,
    original_size,
)


def unpack(file):
    assert file[:4] == b"PCT1"
    (length,) = struct.unpack("<I", file[4:8])
    header = json.loads(file[8 : 8 + length])
    rest = file[8 + length :]
    image = scores = None
    if "image" in header:
        size = header["image"]["bytes"]
        image, rest = np.asarray(Image.open(io.BytesIO(rest[:size]))), rest[size:]
    if "map" in header:
        size = header["map"].pop("bytes")
        scores = decode_map(MapRaster(rest[:size], **header["map"]))
    return header, image, scores


def test_a_lossless_tile_holds_the_very_pixels_and_the_map():
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    scores = random.random((30, 40), dtype=np.float32)
    header, image, found = unpack(encode_tile(pixels, scores, 0.5, lossless=True))
    np.testing.assert_array_equal(image, pixels)
    np.testing.assert_allclose(found, scores, atol=1e-3 * 0.5)
    assert header["original"] == {"width": 40, "height": 30}


def test_a_large_image_is_shrunk_to_the_tile_and_its_map_with_it():
    pixels = np.full((500, 1000, 3), 90, np.uint8)
    scores = np.full((250, 500), 2.0, np.float32)
    file = encode_tile(pixels, scores, 1.0, side=200)
    header, image, found = unpack(file)
    assert image.shape == (100, 200, 3)
    assert header["image"]["type"] == "image/webp"
    assert found.shape == (100, 200)
    np.testing.assert_allclose(found, 2.0, atol=1e-3)
    assert original_size(file) == (1000, 500)


def test_a_small_image_is_never_enlarged():
    assert fitted((10, 20), 224) == (10, 20)
    assert fitted((1, 5000), 224) == (1, 224)


def test_a_detail_is_whole_and_lossless_unless_an_overview_is_asked_for():
    pixels = np.random.default_rng(2).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(unpack(encode_detail(pixels, None, None, overview_side=None))[1], pixels)
    assert unpack(encode_detail(pixels, None, None, overview_side=30))[1].shape == (30, 25, 3)


def test_floats_are_rounded_as_the_rendering_does():
    pixels = np.random.default_rng(3).random((20, 20, 3), dtype=np.float32)
    flat = np.zeros((20, 20), np.float32)
    painted = rendering.overlay(pixels, flat, rendering.HeatScale.anchored(1.0), mode="off")
    np.testing.assert_array_equal(as_bytes(pixels), painted)


def test_grey_images_get_three_equal_colours():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(as_bytes(grey)[..., 2], grey)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 4), (0, 4, 3)])
def test_an_array_that_is_not_an_image_is_refused(shape):
    with pytest.raises(DataError, match="image"):
        as_bytes(np.zeros(shape, np.uint8))


def test_foreign_bytes_are_refused():
    with pytest.raises(DataError, match="encoded for the viewer"):
        original_size(b"\x89PNG....")
