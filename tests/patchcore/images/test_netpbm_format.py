"""PBM, PGM and PPM: the samples that the file states, and sentences for damaged files."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import ImageError, ImageTooLarge, UnreadableImage
from patchcore.images import netpbm_format
from patchcore.images.raw_image import Limits
from patchcore.images.reading import display_pixels, list_images, read_image

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (5, 11, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]
DEEP = RNG.integers(0, 65536, (5, 11), dtype=np.uint16)
BITS = RNG.random((5, 11)) > 0.5


def packed(kind, array, peak=None):
    height, width = array.shape[:2]
    largest = "" if peak is None else f"{peak}\n"
    return f"P{kind}\n{width} {height}\n{largest}".encode() + array.tobytes()


def text(kind, array, peak=None, gap=" "):
    height, width = array.shape[:2]
    largest = "" if peak is None else f"{peak}\n"
    return (
        f"P{kind}\n# of a camera\n{width} {height}\n{largest}{gap.join(map(str, array.ravel()))}\n".encode()
    )


@pytest.mark.parametrize("make", [packed, text])
def test_grey_and_colour_of_8_bits(make):
    grey, colour = (5, 6) if make is packed else (2, 3)
    for kind, array in ((grey, GREY), (colour, COLOUR)):
        image = read_image(make(kind, array, 255))
        expected = array if array.ndim == 3 else np.dstack([array] * 3)
        np.testing.assert_array_equal(display_pixels(image.pixels), expected)
        assert (image.record.format, image.record.bit_depth) == ("PNM", 8)
        assert image.record.channels == (3 if array.ndim == 3 else 1)


def test_16_bits_keep_all_their_values():
    for data in (packed(5, DEEP.astype(">u2"), 65535), text(2, DEEP, 65535)):
        image = read_image(data)
        np.testing.assert_allclose(image.pixels[..., 0], DEEP / 65535, atol=1e-7)
        assert image.record.bit_depth == 16


def test_16_bits_of_colour():
    deep = RNG.integers(0, 65536, (4, 3, 3), dtype=np.uint16)
    np.testing.assert_allclose(
        read_image(packed(6, deep.astype(">u2"), 65535)).pixels, deep / 65535, atol=1e-7
    )


@pytest.mark.parametrize("peak", [1, 15, 100, 1023, 4095, 40_000])
def test_the_stated_largest_value_means_white(peak):
    array = np.array([[0, peak // 2, peak]])
    image = read_image(packed(5, array.astype(">u2" if peak > 255 else np.uint8), peak))
    np.testing.assert_allclose(image.pixels[0, :, 0], array[0] / peak, atol=1e-6)
    assert image.record.notes == ()


def test_value_range_applies_to_deep_samples_alone():
    deep = read_image(packed(5, np.array([[0, 2000, 4000]], ">u2"), 65535), value_range=(0, 4000))
    np.testing.assert_allclose(deep.pixels[0, :, 0], [0, 0.5, 1])
    shallow = read_image(packed(5, np.array([[0, 255]], np.uint8), 255), value_range=(0, 4000))
    np.testing.assert_allclose(shallow.pixels[0, :, 0], [0, 1])


@pytest.mark.parametrize("gap", ["", " ", "\n"])
def test_bitmaps_show_1_as_black(gap):
    expected = np.dstack([~BITS] * 3)
    rows = np.packbits(BITS, axis=1)
    for data in (b"P4\n11 5\n" + rows.tobytes(), text(1, BITS.astype(int), gap=gap)):
        image = read_image(data)
        np.testing.assert_array_equal(image.pixels, expected)
        assert (image.record.bit_depth, image.record.channels) == (1, 1)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16"])
def test_files_of_another_program(mode):
    array = DEEP if mode == "I;16" else COLOUR if mode == "RGB" else BITS if mode == "1" else GREY
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PPM")
    found = read_image(buffer.getvalue()).pixels
    peak = {"1": 1, "I;16": 65535}.get(mode, 255)
    expected = array if array.ndim == 3 else np.dstack([array] * 3)
    np.testing.assert_allclose(found, expected / peak, atol=1e-6)


@pytest.mark.parametrize(
    "header",
    [b"P5 11 5 255 ", b"P5\n#a\n# b\n11\n#c\n5\n255\n", b"P5\r\n11 5\r\n255\n", b"P5#a\n11\t5 255\n"],
)
def test_headers_as_programs_write_them(header):
    np.testing.assert_array_equal(display_pixels(read_image(header + GREY.tobytes()).pixels)[..., 0], GREY)


def test_comments_among_the_samples():
    data = b"P2\n3 1\n255\n1 # 7 8\n2 3\n"
    np.testing.assert_array_equal(display_pixels(read_image(data).pixels)[0, :, 0], [1, 2, 3])


def test_text_is_read_piece_by_piece(monkeypatch):
    whole = (
        b"P2\n40 50\n999\n" + b"".join(b"%d # %d\r#\n\t" % (n % 1000, n) for n in range(2_000)) + b"\nP2\n"
    )
    at_once = read_image(whole).pixels
    for size in (7, 64):
        monkeypatch.setattr(netpbm_format, "_AT_ONCE", size)
        assert np.array_equal(read_image(whole).pixels, at_once)
        assert np.array_equal(
            read_image(b"P1 # 1\n8 2\n#0\n0101010\n\n1 1 # 0\n0101010").pixels[0, :, 0], [1, 0] * 4
        )


def test_a_comment_behind_each_sample_takes_little_memory():
    data = b"P2\n10 10\n255\n" + b"#\n" * 300_000 + b"7 " * 100
    tracemalloc.start()
    assert read_image(data).record.highest == 7
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * 2**20


def test_the_first_of_several_pictures():
    image = read_image(packed(5, GREY, 255) + packed(5, 255 - GREY, 255))
    np.testing.assert_array_equal(display_pixels(image.pixels)[..., 0], GREY)
    assert image.record.notes == ("Only the first of several pictures in the file was read.",)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (packed(5, GREY, 255)[:-1], "truncated"),
        (text(2, GREY, 255)[:40], "truncated"),
        (b"P4\n99 99\n\0", "truncated"),
        (b"P6\n2 2\n255\n", "truncated"),
        (b"P5\n2 2\n0\n\0\0\0\0", "largest value of 0"),
        (b"P5\n2 2\n70000\n\0\0\0\0", "largest value of 70000"),
        (b"P5\n1 2\n9\n\0\x10", "a sample of 16"),
        (b"P2\n1 2\n9\n1 10\n", "a sample of 10"),
        (b"P2\n1 2\n9\n1 -1\n", "below zero"),
        (b"P2\n2 1\n9\n1 99999999999999999999\n", "a sample of"),
        (b"P5\n2 x\n255\n", "header"),
        (b"P5\n0 4\n255\n", "0 × 4"),
        (b"P3\n1 1\n255\n1 two 3\n", "damaged"),
    ],
)
def test_damaged_files_get_a_sentence(data, word):
    with pytest.raises(UnreadableImage, match=word) as refused:
        read_image(data, name="a.pgm")
    assert refused.value.reason.endswith(".")


@pytest.mark.parametrize("kind", range(1, 7))
def test_size_is_checked_before_a_sample_is_read(kind):
    with pytest.raises(ImageTooLarge, match="34 × 21"):
        read_image(f"P{kind}\n34 21\n255\n".encode(), limits=Limits(max_pixels=34 * 21 - 1))
    with pytest.raises(ImageTooLarge, match="900,000,000"):
        read_image(f"P{kind}\n900000000 900000000\n255\n".encode())


@pytest.mark.parametrize("make", [packed, text])
def test_flipped_bytes_raise_nothing_but_image_errors(make):
    good = make(5 if make is packed else 2, GREY, 255)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        bad = bytearray(good)
        for at in rng.integers(2, len(bad), 4):
            bad[at] = rng.integers(0, 256)
        if seed % 3 == 0:
            del bad[int(rng.integers(3, len(bad))) :]
        try:
            read_image(bytes(bad), limits=Limits(max_pixels=1_000_000))
        except ImageError as fault:
            assert fault.reason.endswith(".")


def test_folders_of_such_files_are_listed(tmp_path):
    for name in ("a.pgm", "b.PPM", "c.pbm", "d.Pnm", "e.pam"):
        (tmp_path / name).write_bytes(packed(5, GREY, 255))
    assert [path.name for path in list_images(tmp_path)] == ["a.pgm", "b.PPM", "c.pbm", "d.Pnm"]
