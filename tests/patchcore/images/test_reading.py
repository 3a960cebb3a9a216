import hashlib
import io
import json
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import ImageTooLarge, NoImagesError, SettingsError, UnreadableImage
from patchcore.images.file_names import display_name
from patchcore.images.raw_image import Limits
from patchcore.images.reading import ImageRecord, display_pixels, list_images, read_image

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)


def encoded(array, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(tag, body):
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png_bomb(side):
    """A valid PNG of side x side grey zeros: about a thousandth of its size on disk."""
    squeeze = zlib.compressobj(1)
    row = bytes(side + 1)
    rows = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    )


def test_pixels_and_record_of_a_plain_png(tmp_path):
    path = tmp_path / "part 1.png"
    path.write_bytes(encoded(COLOUR))
    image = read_image(path)
    assert image.pixels.dtype == np.float32
    assert image.pixels.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(image.pixels, COLOUR.astype(np.float32) / np.float32(255))
    record = image.record
    assert (record.width, record.height, record.channels, record.bit_depth) == (53, 37, 3, 8)
    assert (record.name, record.format, record.notes) == (str(path), "PNG", ())
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (record.lowest, record.highest) == (COLOUR.min(), COLOUR.max())


def test_record_survives_json():
    record = read_image(COLOUR, name="née\n1.png").record
    again = ImageRecord.from_dict(json.loads(json.dumps({**record.to_dict(), "later_field": 1})))
    assert again == record
    assert isinstance(again.notes, tuple)


def test_path_string_and_bytes_agree(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(COLOUR))
    from_path, from_text, from_bytes = (read_image(s, name="a") for s in (path, str(path), path.read_bytes()))
    assert from_path.record == from_text.record == from_bytes.record
    np.testing.assert_array_equal(from_path.pixels, from_bytes.pixels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty (0 bytes)"),
        (b"lot 7, shift 2: nothing to see\n", "this is text, not an image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "this is text"),
        (b"GIF89a" + bytes(20), "a GIF"),
        (b"PK\x03\x04" + bytes(20), "a zip archive"),
        (bytes(range(200)), "no known image format"),
        (b"\x89PNG\r\n\x1a\n", "breaks off after 8 bytes"),
        (encoded(COLOUR)[:2000], "breaks off after 2,000 bytes"),
        (encoded(COLOUR, "JPEG")[:1500], "breaks off after 1,500 bytes"),
        (encoded(COLOUR, "WEBP", lossless=True)[:1500], "breaks off after 1,500 bytes"),
        (encoded(COLOUR, "BMP")[:1500], "breaks off after 1,500 bytes"),
    ],
)
def test_unreadable_bytes_say_why_and_what_to_do(tmp_path, content, reason):
    path = tmp_path / "img_017.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage) as caught:
        read_image(path, name="img_017.png")
    assert caught.value.name == "img_017.png"
    assert reason in caught.value.reason
    assert any(remedy in caught.value.reason for remedy in ("Copy it again", "Export it as"))


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(UnreadableImage, match="no such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(UnreadableImage, match="cannot be opened"):
        read_image(tmp_path)
    with pytest.raises(UnreadableImage, match="cannot be opened"):
        read_image("a\0b.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadableImage, match="not a regular file"):
        read_image(tmp_path / "pipe.png")


def test_png_bomb_is_refused_before_it_is_decoded():
    bomb = png_bomb(30_000)
    assert len(bomb) < 5_000_000
    tracemalloc.start()
    with pytest.raises(
        ImageTooLarge, match=r"30,000 × 30,000 pixels \(900 million\); the limit is 120 million"
    ):
        read_image(bomb, name="bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_limits_on_bytes_apply_to_paths_and_bytes(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(COLOUR))
    for source in (path, path.read_bytes()):
        with pytest.raises(ImageTooLarge, match="limit"):
            read_image(source, limits=Limits(max_bytes=100))


@pytest.mark.parametrize("bad", [(1.0, 1.0), (2.0, 1.0), (0.0, float("nan"))])
def test_value_range_must_increase(bad):
    with pytest.raises(SettingsError, match="black below white"):
        read_image(COLOUR, value_range=bad)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1), (5, 4, 3)])
def test_integer_arrays_scale_by_their_container(dtype, shape):
    top = np.iinfo(dtype).max
    array = RNG.integers(0, top + 1, shape, dtype=dtype)
    image = read_image(array)
    expected = np.broadcast_to((array / top).reshape(5, 4, -1), (5, 4, 3))
    np.testing.assert_allclose(image.pixels, expected, atol=1e-7)
    assert image.record.bit_depth == np.iinfo(dtype).bits


def test_bool_and_float_arrays():
    mask = RNG.random((6, 3)) > 0.5
    np.testing.assert_array_equal(read_image(mask).pixels[..., 2], mask)
    values = RNG.random((6, 3))
    np.testing.assert_allclose(read_image(values).pixels[..., 1], values, atol=1e-7)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 5), (2, 4, 4, 3), (0, 4), (4, 0, 3)])
def test_shapes_that_are_no_picture(shape):
    with pytest.raises(UnreadableImage):
        read_image(np.zeros(shape, np.uint8))
    with pytest.raises(UnreadableImage, match="complex64"):
        read_image(np.zeros((4, 4), np.complex64))


def test_array_hash_knows_shape_and_dtype():
    flat = np.zeros((2, 8), np.uint8)
    hashes = {read_image(a).record.sha256 for a in (flat, flat.reshape(4, 4), flat.view(np.uint16))}
    assert len(hashes) == 3
    turned = np.asfortranarray(COLOUR)
    assert read_image(turned).record.sha256 == read_image(COLOUR).record.sha256


def test_display_pixels_round_to_the_bytes_they_came_from():
    np.testing.assert_array_equal(display_pixels(read_image(COLOUR).pixels), COLOUR)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.png", "a b.png"),
        ("Größe 螺栓.png", "Größe 螺栓.png"),
        ("a\nb\x07.png", "a\\nb\\x07.png"),
        ("x\udc80.png", "x\\udc80.png"),
    ],
)
def test_display_names_stay_on_one_line(name, shown):
    assert display_name(name) == shown
    with pytest.raises(UnreadableImage) as caught:
        read_image(b"", name=name)
    assert str(caught.value).startswith(f"{shown}: the file is empty")


def test_list_images_is_sorted_and_skips_leftovers(tmp_path):
    wanted = ["a.PNG", "b/c.jpeg", "b/d e.tif", "Größe.webp"]
    unwanted = [".hidden.png", "__MACOSX/._a.png", ".cache/x.png", "notes.txt", "Thumbs.db"]
    for name in wanted + unwanted:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    found = list_images(tmp_path)
    assert found == sorted(tmp_path / name for name in wanted)
    assert list_images(tmp_path / "folder.png") == []
    with pytest.raises(NoImagesError, match="not a folder"):
        list_images(tmp_path / "elsewhere")
