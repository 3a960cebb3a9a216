import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from patchcore.errors import ImageError, ImageTooLarge
from patchcore.images.raw_image import Limits
from patchcore.images.reading import display_pixels, read_image

RNG = np.random.default_rng(3)
COLOUR = RNG.integers(0, 256, (21, 34, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def as_bytes(image):
    return display_pixels(image.pixels)


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
)
def test_lossless_formats_give_back_what_went_in(kind, options):
    image = read_image(saved(Image.fromarray(COLOUR), kind, **options))
    np.testing.assert_array_equal(as_bytes(image), COLOUR)
    assert image.record.format.upper() == kind
    assert image.record.channels == 3


def test_jpeg_decodes_as_pillow_does():
    data = saved(Image.fromarray(COLOUR), "JPEG", quality=90)
    image = read_image(data)
    np.testing.assert_array_equal(as_bytes(image), np.asarray(Image.open(io.BytesIO(data))))
    assert (image.record.format, image.record.bit_depth) == ("JPEG", 8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(COLOUR), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    image = read_image(data)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(as_bytes(image), np.asarray(upright))
    assert (image.record.width, image.record.height) == upright.size
    assert any("upright" in note for note in image.record.notes) == (orientation > 1)


def test_nonsense_in_the_exif_block_is_taken_as_upright():
    data = saved(Image.fromarray(COLOUR), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(as_bytes(read_image(data)), COLOUR)


def test_palette_is_resolved():
    picture = Image.fromarray(COLOUR).quantize(16)
    image = read_image(saved(picture, "PNG"))
    np.testing.assert_array_equal(as_bytes(image), np.asarray(picture.convert("RGB")))
    assert (image.record.channels, image.record.notes) == (3, ())


def test_palette_with_a_transparent_entry_shows_white():
    picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    picture.putpalette([255, 0, 0, 0, 0, 255])
    image = read_image(saved(picture, "PNG", transparency=0))
    np.testing.assert_array_equal(as_bytes(image)[0], [[255, 255, 255], [0, 0, 255]])
    assert "Transparent pixels are shown on white." in image.record.notes


def test_alpha_is_composited_on_the_stated_background():
    alpha = RNG.integers(0, 256, GREY.shape, dtype=np.uint8)
    data = saved(Image.fromarray(np.dstack([COLOUR, alpha])), "PNG")
    share = alpha[..., None] / 255
    on_white = COLOUR / 255 * share + (1 - share)
    np.testing.assert_allclose(read_image(data).pixels, on_white, atol=1e-6)
    on_black = read_image(data, background=(0.0, 0.0, 0.0))
    np.testing.assert_allclose(on_black.pixels, COLOUR / 255 * share, atol=1e-6)
    assert on_black.record.notes == ("Transparent pixels are shown on RGB (0.0, 0.0, 0.0).",)
    assert on_black.record.channels == 4


@pytest.mark.parametrize(
    ("level", "notes"), [(255, ()), (0, ("Its alpha channel hides every pixel, and was ignored.",))]
)
def test_alpha_that_says_nothing_is_dropped(level, notes):
    data = saved(Image.fromarray(np.dstack([GREY, np.full_like(GREY, level)])), "PNG")
    image = read_image(data)
    np.testing.assert_array_equal(as_bytes(image), np.dstack([GREY] * 3))
    assert image.record.notes == notes
    assert image.record.channels == 2


def test_cmyk_jpeg_becomes_rgb_with_a_note():
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    image = read_image(saved(picture, "JPEG", quality=100, subsampling=0))
    np.testing.assert_allclose(image.pixels[4, 4], (1, 0, 0), atol=0.02)
    assert any("CMYK" in note for note in image.record.notes)
    assert image.record.channels == 4


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit(kind):
    mask = RNG.random((9, 13)) > 0.5
    image = read_image(saved(Image.fromarray(mask), kind))
    np.testing.assert_array_equal(image.pixels, np.dstack([mask] * 3))
    assert (image.record.bit_depth, image.record.channels) == (1, 1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_png_keeps_all_its_bits(channels):
    array = RNG.integers(0, 65536, (11, 7, channels), dtype=np.uint16)
    image = read_image(imagecodecs.png_encode(array.squeeze()))
    share = array[..., 3:] / 65535 if channels == 4 else 1.0
    expected = np.broadcast_to(array[..., :3] / 65535 * share + (1 - share), (11, 7, 3))
    np.testing.assert_allclose(image.pixels, expected, atol=2e-7)
    assert (image.record.bit_depth, image.record.channels) == (16, channels)


def test_orientation_of_a_16_bit_png():
    array = RNG.integers(0, 65536, (4, 6), dtype=np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    image = read_image(saved(Image.fromarray(array), "PNG", exif=exif))
    np.testing.assert_allclose(image.pixels[..., 0], np.rot90(array, -1) / 65535, atol=1e-7)


def test_interlaced_16_bit_png():
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    array = RNG.integers(0, 65536, (9, 10), dtype=np.uint16)
    rows = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for x, y, dx, dy in passes
        for row in array[y::dy, x::dx]
        if row.size
    )
    data = b"\x89PNG\r\n\x1a\n"
    for tag, body in (
        (b"IHDR", struct.pack(">IIBBBBB", 10, 9, 16, 0, 0, 0, 1)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))
    np.testing.assert_allclose(read_image(data).pixels[..., 0], array / 65535, atol=1e-7)


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("PNG", {})])
def test_moving_pictures_give_their_first_frame(kind, options):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    image = read_image(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    np.testing.assert_array_equal(as_bytes(image), COLOUR)
    assert image.record.notes == ("Only the first of 2 frames in the file was read.",)


def test_pictures_behind_the_first_of_a_multi_picture_file_are_named():
    whole = Image.fromarray(COLOUR)
    preview = whole.resize((17, 10))
    small_second = read_image(saved(whole, "MPO", save_all=True, append_images=[preview])).record
    small_first = read_image(saved(preview, "MPO", save_all=True, append_images=[whole, whole])).record
    assert small_second.notes == ("Only the first of 2 pictures in the file was read.",)
    (note,) = small_first.notes
    assert "first of 3 pictures" in note and "picture 2 has 34 × 21 px" in note and small_first.width == 17


@pytest.mark.parametrize("ending", [b"\xff\xd9", bytes(20_000)])
def test_a_jpeg_whose_lower_part_is_missing_has_a_note(ending):
    picture = Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = saved(picture, "JPEG")
    assert read_image(data).record.notes == ()
    (note,) = read_image(data[: len(data) // 2] + ending).record.notes
    assert "lower part may be missing" in note


def test_a_png_without_its_end_has_a_note():
    (note,) = read_image(saved(Image.fromarray(COLOUR), "PNG")[:-12]).record.notes
    assert "breaks off before its end mark" in note


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_other_than_srgb_is_named(kind):
    for space, named in (("sRGB", False), ("LAB", True)):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
        notes = read_image(saved(Image.fromarray(COLOUR), kind, icc_profile=profile)).record.notes
        assert any("colour profile (Lab" in note for note in notes) == named
    damaged = read_image(saved(Image.fromarray(COLOUR), kind, icc_profile=b"no profile" * 20)).record.notes
    assert damaged == ("Its colour profile was not applied; samples are taken as sRGB.",)


def test_colour_is_told_by_pixels():
    grey = Image.fromarray(GREY)
    pictures = (grey, grey.convert("RGB"), Image.fromarray(COLOUR), Image.new("RGBA", (9, 9), (9, 9, 9, 255)))
    found = [read_image(saved(picture, "PNG")).record.colourful for picture in pictures]
    assert found == [False, False, True, False]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("lossless", [False, True])
def test_every_format_is_measured_by_its_header(kind, lossless):
    options = {"lossless": lossless} if kind == "WEBP" else {}
    data = saved(Image.fromarray(COLOUR), kind, **options)
    with pytest.raises(ImageTooLarge, match="34 × 21"):
        read_image(data, limits=Limits(max_pixels=34 * 21 - 1))
    read_image(data, limits=Limits(max_pixels=34 * 21))


def test_transparent_webp_is_measured_by_its_header():
    data = saved(Image.fromarray(np.dstack([COLOUR, GREY])), "WEBP")
    with pytest.raises(ImageTooLarge, match="34 × 21"):
        read_image(data, limits=Limits(max_pixels=100))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF"])
def test_flipped_bytes_raise_nothing_but_image_errors(kind):
    exif = (
        {"exif": Image.Exif()}
        if kind in ("JPEG", "PNG", "WEBP")
        else {"compression": "tiff_lzw"}
        if kind == "TIFF"
        else {}
    )
    if "exif" in exif:
        exif["exif"][0x0112] = 6
    good = saved(Image.fromarray(COLOUR), kind, **exif)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        bad = bytearray(good)
        reach = 120 if seed % 2 else len(bad)
        for at in rng.integers(4, min(reach, len(bad)), 4):
            bad[at] = rng.integers(0, 256)
        if seed % 3 == 0:
            del bad[int(rng.integers(8, len(bad))) :]
        try:
            read_image(bytes(bad), limits=Limits(max_pixels=1_000_000))
        except ImageError as fault:
            assert fault.reason.endswith((".", "!"))
