import io
import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from patchcore.errors import ImageTooLarge, UnreadableImage
from patchcore.images.reading import read_image

RNG = np.random.default_rng(5)


def tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"metadata": None, **options})
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd"])
def test_grey_and_rgb_by_container(dtype, channels, compression):
    top = np.iinfo(dtype).max
    array = RNG.integers(0, top + 1, (17, 23, channels), dtype=dtype).squeeze()
    kind = "rgb" if channels == 3 else "minisblack"
    image = read_image(tiff(array, photometric=kind, compression=compression))
    expected = np.broadcast_to((array / top).reshape(17, 23, -1), (17, 23, 3))
    np.testing.assert_allclose(image.pixels, expected, atol=2e-7)
    assert (image.record.format, image.record.channels) == ("TIFF", channels)
    assert image.record.bit_depth == np.iinfo(dtype).bits


@pytest.mark.parametrize(
    "options",
    [
        {"tile": (16, 16)},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"rowsperstrip": 5},
        {"predictor": 2, "compression": "lzw"},
    ],
)
def test_layouts(options):
    array = RNG.integers(0, 65536, (40, 33), dtype=np.uint16)
    image = read_image(tiff(array, photometric="minisblack", **options))
    np.testing.assert_allclose(image.pixels[..., 0], array / 65535, atol=1e-7)


def test_separate_planes():
    array = RNG.integers(0, 256, (3, 12, 9), dtype=np.uint8)
    image = read_image(tiff(array, photometric="rgb", planarconfig="separate"))
    np.testing.assert_allclose(image.pixels, np.moveaxis(array, 0, -1) / 255, atol=1e-7)


def test_first_of_several_pages_with_a_note():
    pages = RNG.integers(0, 256, (3, 8, 9), dtype=np.uint8)
    image = read_image(tiff(pages, photometric="minisblack"))
    np.testing.assert_allclose(image.pixels[..., 0], pages[0] / 255, atol=1e-7)
    assert image.record.notes == ("Only the first of 3 pages in the file was read.",)


def pages_of(*arrays, **first):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for number, array in enumerate(arrays):
            file.write(array, photometric="minisblack", metadata=None, **({} if number else first))
    return buffer.getvalue()


@pytest.mark.parametrize("place", [{"subfiletype": 1}, {"subfiletype": 1, "subifds": 1}])
def test_a_preview_before_the_picture_is_not_judged_instead_of_it(place):
    whole = RNG.integers(0, 256, (40, 60), dtype=np.uint8)
    image = read_image(pages_of(whole[::4, ::4], whole, **place))
    np.testing.assert_allclose(image.pixels[..., 0], whole / 255, atol=1e-7)
    assert image.record.notes == ("The file begins with a preview of 15 × 10 px; page 2 was read instead.",)


def test_a_small_first_page_without_a_mark_is_named():
    whole = RNG.integers(0, 256, (40, 60), dtype=np.uint8)
    image = read_image(pages_of(whole[::4, ::4], whole[:20], whole))
    assert (image.record.width, image.record.height) == (15, 10)
    assert "may be a preview: page 3 has 60 × 40 px" in image.record.notes[0]


def test_damage_behind_the_first_page_leaves_the_first_one():
    whole = RNG.integers(0, 256, (40, 60), dtype=np.uint8)
    image = read_image(pages_of(whole, whole, whole)[:-300])
    np.testing.assert_allclose(image.pixels[..., 0], whole / 255, atol=1e-7)


def test_white_is_zero_is_inverted():
    array = RNG.integers(0, 256, (8, 9), dtype=np.uint8)
    image = read_image(tiff(array, photometric="miniswhite"))
    np.testing.assert_allclose(image.pixels[..., 0], 1 - array / 255, atol=1e-6)


def test_palette():
    colours = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
    array = RNG.integers(0, 256, (8, 9), dtype=np.uint8)
    image = read_image(tiff(array, photometric="palette", colormap=colours))
    np.testing.assert_allclose(image.pixels, colours.T[array] / 65535, atol=1e-6)
    assert (image.record.channels, image.record.bit_depth) == (3, 8)


def test_cmyk():
    array = RNG.integers(0, 256, (8, 9, 4), dtype=np.uint8)
    image = read_image(tiff(array, photometric="separated"))
    ink = 1 - array / 255
    np.testing.assert_allclose(image.pixels, ink[..., :3] * ink[..., 3:], atol=1e-6)


@pytest.mark.parametrize(("kind", "straight"), [("unassalpha", True), ("assocalpha", False)])
def test_alpha(kind, straight):
    array = RNG.integers(0, 256, (8, 9, 4), dtype=np.uint8)
    array[..., :3] //= 4  # a premultiplied colour cannot exceed its alpha by much
    array[..., 3] |= 64
    image = read_image(tiff(array, photometric="rgb", extrasamples=[kind]))
    share = array[..., 3:] / 255
    expected = array[..., :3] / 255 * (share if straight else 1) + 1 - share
    np.testing.assert_allclose(image.pixels, expected.clip(0, 1), atol=1e-6)


def test_extra_channel_of_no_stated_meaning_is_left_out():
    array = RNG.integers(0, 256, (8, 9, 4), dtype=np.uint8)
    image = read_image(tiff(array, photometric="rgb", extrasamples=["unspecified"]))
    np.testing.assert_allclose(image.pixels, array[..., :3] / 255, atol=1e-6)
    assert any("no stated meaning" in note for note in image.record.notes)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_tag(orientation):
    array = RNG.integers(0, 256, (8, 9), dtype=np.uint8)
    data = tiff(array, photometric="minisblack", extratags=[(274, "H", 1, orientation, True)])
    turns = {3: 2, 6: -1, 8: 1}[orientation]
    np.testing.assert_allclose(read_image(data).pixels[..., 0], np.rot90(array, turns) / 255, atol=1e-7)


def test_12_bits_packed_scale_by_4095():
    array = RNG.integers(0, 4096, (8, 10), dtype=np.uint16)
    bits = np.unpackbits(array.astype(">u2").view(np.uint8).reshape(8, 10, 2), axis=2)[..., 4:]
    data = tiff(np.packbits(bits.reshape(8, -1), axis=1), photometric="minisblack")  # 8 rows of 15 bytes
    data = data.replace(struct.pack("<HHIH", 258, 3, 1, 8), struct.pack("<HHIH", 258, 3, 1, 12))
    data = data.replace(struct.pack("<HHII", 256, 4, 1, 15), struct.pack("<HHII", 256, 4, 1, 10))
    image = read_image(data)
    np.testing.assert_allclose(image.pixels[..., 0], array / 4095, atol=1e-6)
    assert image.record.bit_depth == 12


def test_float_within_0_to_1_is_taken_as_it_is():
    array = RNG.random((8, 9)).astype(np.float32)
    image = read_image(tiff(array, photometric="minisblack"))
    np.testing.assert_array_equal(image.pixels[..., 2], array)
    assert image.record.bit_depth == 32


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_a_float_tiff(value):
    array = RNG.random((8, 9)).astype(np.float32)
    array[3, 4] = array[5, 6] = value
    with pytest.raises(UnreadableImage, match="2 of its values are NaN or infinite"):
        read_image(tiff(array, photometric="minisblack"), name="depth.tif", value_range=(0.0, 1.0))


def test_cut_file_is_called_truncated():
    data = tiff(RNG.integers(0, 256, (64, 64), dtype=np.uint8), photometric="minisblack")
    with pytest.raises(UnreadableImage, match="breaks off after 2,000 bytes"):
        read_image(data[:2000])


def by_hand(width, height, strip, compression):
    """An 8-bit grey TIFF of one strip, whatever the strip holds."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 1),
        (273, 4, 8 + 2 + 12 * 8 + 4),
        (278, 4, height),
        (279, 4, len(strip)),
    ]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4) + strip


def test_declared_size_is_refused_before_anything_is_unpacked():
    with pytest.raises(ImageTooLarge, match="1,000,000 × 1,000,000"):
        read_image(by_hand(1_000_000, 1_000_000, bytes(64), 1))


@pytest.mark.parametrize("code", [8, 32946, 50000])
def test_strips_never_unpack_to_more_than_is_declared(code):
    bomb = imagecodecs.zstd_encode(bytes(2**26)) if code == 50000 else zlib.compress(bytes(2**26), 1)
    tracemalloc.start()
    with pytest.raises(UnreadableImage):
        read_image(by_hand(100, 100, bomb, code))
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_jpeg_within_is_measured_by_its_own_header():
    jpeg = imagecodecs.jpeg8_encode(np.zeros((100, 100), np.uint8))
    for side in (100, 60_000):
        start = jpeg.index(b"\xff\xc0") + 5
        data = by_hand(100, 100, jpeg[:start] + struct.pack(">HH", side, side) + jpeg[start + 4 :], 7)
        if side == 100:
            assert read_image(data).pixels.max() == 0
        else:
            with pytest.raises(ImageTooLarge, match="60,000 × 60,000"):
                read_image(data)


def test_jpeg_compressed_colour():
    ramp = np.linspace(0, 1, 32 * 48).reshape(32, 48)
    smooth = (np.dstack([ramp, 1 - ramp, 0.3 + 0 * ramp]) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(smooth).save(buffer, "TIFF", compression="jpeg", quality=95)
    image = read_image(buffer.getvalue())
    np.testing.assert_allclose(image.pixels, smooth / 255, atol=0.03)
    assert image.record.channels == 3


def test_kinds_without_plain_meaning_are_refused_with_a_remedy():
    lab = tiff(RNG.integers(0, 256, (8, 9, 3), dtype=np.uint8), photometric="cielab")
    with pytest.raises(UnreadableImage, match=r"CIELAB cannot be read. Export it as grey or RGB"):
        read_image(lab)
    with pytest.raises(UnreadableImage, match="compressed by LERC"):
        read_image(by_hand(8, 8, bytes(64), 34887))
    wave = tiff(np.zeros((8, 9), np.complex64), photometric="minisblack")
    with pytest.raises(UnreadableImage, match="hold no brightness"):
        read_image(wave)
