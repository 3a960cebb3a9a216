"""A folder without images says which files it holds, and why they are not read."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from patchcore.errors import NoImagesError
from patchcore.images.reading import require_images
from patchcore.images.unread_files import contents_of, counted, kind_of, why_no_images


def gif():
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(buffer, "GIF")
    return buffer.getvalue()


KINDS = {
    "a.gif": (gif(), "1 GIF"),
    "film.mp4": (b"\0\0\0\x18ftypmp42", "1 HEIC, AVIF or video file"),
    "scan.dcm": (b"\0" * 128 + b"DICM", "1 DICOM file"),
    "array.npy": (b"\x93NUMPY\x01\0", "1 NumPy array"),
    "depth.exr": (b"\x76\x2f\x31\x01\0", "1 OpenEXR file"),
    "plate.svg": (b"<svg></svg>", "1 text file"),
    "labels.csv": (b"file,label\n", "1 text file"),
    "all.zip": (b"PK\x03\x04\0\0", "1 zip archive"),
    "frame.raw": (b"\x01\x02\x03\xff", "1 .raw file"),
    "frame": (b"\x01\x02\x03\xff", "1 file of an unknown kind"),
    "photo.dat": (b"\x89PNG\r\n\x1a\n", "1 image without an image's ending"),
    "cut.dat": (b"", "1 empty file"),
    ".a.png": (b"\x89PNG\r\n\x1a\n", "1 hidden file"),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_named(tmp_path, name):
    data, words = KINDS[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NoImagesError) as refused:
        require_images(tmp_path)
    sentence = str(refused.value)
    assert f"holds no images that can be read: {words}." in sentence
    assert str(tmp_path) in sentence and sentence.count(".") >= 2 and sentence.endswith(".")


def test_kinds_are_counted_the_most_frequent_first(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.gif").write_bytes(gif())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/readme.md").write_text("lot 7", encoding="utf-8")
    assert counted(contents_of(tmp_path)) == "3 GIFs, 1 text file"
    assert contents_of(tmp_path, subfolders=False) == {"GIF": 3, "subfolder": 1}
    assert contents_of(tmp_path, exclude=[tmp_path / "sub"]) == {"GIF": 3}


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_links_and_pipes_are_named(tmp_path):
    other, place = tmp_path / "other", tmp_path / "place"
    other.mkdir()
    place.mkdir()
    (other / "a.png").write_bytes(b"\x89PNG")
    (place / "folder").symlink_to(other)
    (place / "dead.png").symlink_to(tmp_path / "nowhere.png")
    (place / "alive.png").symlink_to(other / "a.png")
    os.mkfifo(place / "pipe.png")
    found = contents_of(place)
    assert found == {"link to a folder": 1, "link that leads nowhere": 1, "device or pipe": 1}
    assert contents_of(place, links=False)["link"] == 1
    assert "link to a folder" not in contents_of(place, exclude=[place / "folder"])
    sentence = why_no_images("place", found)
    assert "name that folder itself" in sentence and "Copy the images" in sentence


def test_an_empty_folder_is_called_empty(tmp_path):
    with pytest.raises(NoImagesError, match="holds no images: it is empty"):
        require_images(tmp_path)


def test_a_folder_with_an_image_gives_its_images(tmp_path):
    (tmp_path / "a.gif").write_bytes(gif())
    (tmp_path / "b.png").write_bytes(b"anything")
    assert [path.name for path in require_images(tmp_path)] == ["b.png"]


def test_the_rest_of_a_very_large_folder_is_only_counted(tmp_path):
    for number in range(1_003):
        (tmp_path / f"{number}.txt").write_bytes(b"x")
    assert contents_of(tmp_path) == {"text file": 1_000, "further file": 3}


def test_names_with_control_characters_stay_on_one_line():
    assert "\n" not in why_no_images("a\nb", {"GIF": 1})
    assert kind_of("x.a\nb", b"\x01\x02") == ".a\\nb file"
