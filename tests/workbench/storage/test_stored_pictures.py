"""Maps and overlays that something else lies in place of: refused by kind and size, before pixels are unpacked."""

import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from patchcore.errors import DataError
from tests.hostile import pictures
from workbench.storage.map_files import SIZE, TOP, read_map
from workbench.storage.stored_pictures import stored_picture


def map_file(size="16 16", top="0x1p0"):
    about, buffer = PngInfo(), io.BytesIO()
    about.add_text(TOP, top)
    about.add_text(SIZE, size)
    Image.fromarray(np.zeros((16, 16), np.uint16)).save(buffer, "PNG", pnginfo=about)
    buffer.seek(0)
    return buffer


def test_a_map_as_written_is_read():
    assert read_map(map_file()).shape == (16, 16)


@pytest.mark.parametrize(
    "data",
    [
        pictures.png((16, 16), (20_000, 20_000)),
        pictures.saved(Image.new("L", (2049, 4)), "PNG"),
        pictures.saved(Image.new("L", (4, 4)), "GIF"),
        pictures.saved(Image.new("L", (4, 4)), "TIFF"),
        pictures.saved(Image.new("L", (16, 16)), "PNG")[:-40],
        pictures.saved(Image.new("L", (16, 16)), "PNG"),
        b"",
    ],
)
def test_a_map_of_another_kind_or_size_is_refused(data):
    with pytest.raises(DataError):
        read_map(io.BytesIO(data))


@pytest.mark.parametrize("size", ["1000000 1000000", "0 16", "-1 -1", "16", "1e9 1", f"{'9' * 49} 1"])
def test_a_map_that_declares_an_impossible_picture_is_refused(size):
    with pytest.raises(DataError):
        read_map(map_file(size))


@pytest.mark.parametrize("top", ["nan", "inf", "-0x1p3", "0x1p99999", "many"])
def test_a_map_without_a_scale_is_refused(top):
    with pytest.raises(DataError):
        read_map(map_file(top=top))


@pytest.mark.parametrize(
    "data", [pictures.jpeg((0, 0), (3_000, 3_000)), pictures.webp_still(16_384, 16_384), pictures.bmp(16, 16)]
)
def test_an_overlay_of_another_kind_or_size_is_refused(data, tmp_path):
    (tmp_path / "overlay.jpg").write_bytes(data)
    with pytest.raises(DataError), stored_picture(tmp_path / "overlay.jpg", "JPEG") as picture:
        picture.load()


def test_an_overlay_that_is_gone_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError), stored_picture(tmp_path / "overlay.jpg", "JPEG"):
        pass
