"""One picture in many files: the hash of the pixels is the same for all of them, and for no other picture."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from patchcore.images.reading import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
GREY = PIXELS[..., 0]


def packed(array, kind="PNG", **settings):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **settings)
    return buffer.getvalue()


def with_text():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "exported twice")
    return packed(PIXELS, pnginfo=text, dpi=(300, 300))


def turned_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a turn by 90 degrees to the right
    return packed(np.rot90(PIXELS).copy(), exif=exif)


def deep_png(grey):
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint16) * 257).save(buffer, "PNG")
    return buffer.getvalue()


COPIES = {
    "saved again": packed(PIXELS, compress_level=1),
    "metadata": with_text(),
    "BMP": packed(PIXELS, "BMP"),
    "TIFF": packed(PIXELS, "TIFF", compression="tiff_lzw"),
    "lossless WebP": packed(PIXELS, "WEBP", lossless=True),
    "PPM": packed(PIXELS, "PPM"),
    "opaque alpha": packed(np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])),
    "turned by EXIF": turned_by_exif(),
    "16 bits": PIXELS.astype(np.uint16) * 257,
    "float": PIXELS / np.float32(255),
}


@pytest.mark.parametrize("name", COPIES)
def test_exact_copies_in_other_files_have_the_same_pixels(name):
    image = read_image(COPIES[name])
    original = read_image(packed(PIXELS))
    assert image.pixel_sha256 == original.pixel_sha256 == original.hashed_record.pixel_sha256
    assert image.record.sha256 != original.record.sha256


def test_grey_is_a_copy_of_three_equal_channels():
    colour = read_image(packed(np.dstack([GREY] * 3)))
    assert (
        read_image(packed(GREY)).pixel_sha256
        == read_image(deep_png(GREY)).pixel_sha256
        == colour.pixel_sha256
    )


OTHERS = {
    "one level in one place": lambda p: np.where(np.arange(p.size).reshape(p.shape) == 7, p ^ 1, p),
    "turned": np.rot90,
    "mirrored": np.fliplr,
    "cropped": lambda p: p[:-1],
    "other colours": lambda p: p[..., ::-1],
    "other shape of the same samples": lambda p: p.reshape(20, 12, 3),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_pictures_have_other_pixels(name):
    changed = np.ascontiguousarray(OTHERS[name](PIXELS))
    assert read_image(changed).pixel_sha256 != read_image(PIXELS).pixel_sha256
