"""Places are tried before the work; each that cannot be written to gets a sentence, and nothing is left there."""

import errno
import os
from pathlib import Path

import pytest

from patchcore.errors import SettingsError
from patchcore.files.targets import cannot_write, is_bad_name, require_file, require_folder


@pytest.fixture
def place(tmp_path):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("folder", "is a folder; name the file to write, such as"),
        ("file/x.html", "A part of the path is a file"),
        ("file/sub/x.html", "A part of the path is a file"),
        ("x" * 300, "Choose a shorter name"),
        ("new/" + "ü" * 200 + ".html", "Choose a shorter name"),
        ("x" * 300 + "/y.html", "Choose a shorter name"),
        ("a\0b", "not a path"),
    ],
)
def test_a_file_that_cannot_be_written_gets_a_sentence(place, name, word):
    before = sorted(place.rglob("*"))
    with pytest.raises(SettingsError, match=word) as refused:
        require_file(place / name, "report.html")
    assert str(refused.value).endswith(".") and "\0" not in str(refused.value)
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "word"),
    [("file", "is a file, not a folder"), ("file/sub", "A part of the path"), ("x" * 300, "shorter name")],
)
def test_a_folder_that_cannot_be_written_gets_a_sentence(place, name, word):
    with pytest.raises(SettingsError, match=word):
        require_folder(place / name)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="a device of POSIX systems")
def test_a_device_is_never_replaced_by_a_file():
    with pytest.raises(SettingsError, match="device"):
        require_file(Path("/dev/null"))


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="a folder that not even root can write to, on Linux"
)
def test_a_folder_that_nobody_can_write_to():
    with pytest.raises(SettingsError, match="cannot be written"):
        require_file(Path("/proc/x.patchcore"))


def test_a_usable_place_is_left_as_it_was(place):
    before = sorted(place.rglob("*"))
    for name in ("file", "folder/x", "new/deeper/x", "x"):
        require_file(place / name)
    for name in ("folder", "new/deeper"):
        require_folder(place / name)
    assert sorted(place.rglob("*")) == before and (place / "file").read_text(encoding="utf-8") == "here"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO])
def test_every_reason_comes_with_a_remedy(number):
    sentence = cannot_write(Path("a\nb"), OSError(number, os.strerror(number)))
    assert (
        sentence.startswith("a\\nb cannot be written (") and sentence.count(".") >= 1 and "\n" not in sentence
    )


@pytest.mark.parametrize(
    ("winerror", "number", "word"),
    [
        (5, errno.EACCES, "Close the program that has it open"),
        (32, errno.EACCES, "Close the program that has it open"),
        (123, errno.EINVAL, "Choose a name without"),
        (206, errno.ENOENT, "Choose a shorter path"),
        (112, errno.ENOSPC, "Make room"),
    ],
)
def test_a_fault_of_windows_gets_the_remedy_of_its_own_number(winerror, number, word):
    fault = OSError(number, "Windows says why")
    fault.winerror = winerror
    sentence = cannot_write(Path("report.html"), fault)
    assert "cannot be written (Windows says why)" in sentence and word in sentence
    assert is_bad_name(fault) == (winerror in (123, 206))


def test_a_path_that_is_too_long_for_windows_is_told_from_an_absent_one():
    fault = FileNotFoundError(errno.ENOENT, "The system cannot find the path specified")
    fault.winerror = 3
    assert "shorter path" in cannot_write(Path("x" * 130, "y" * 130, "a.html"), fault)
    assert "Choose another place" in cannot_write(Path("x", "a.html"), fault)
