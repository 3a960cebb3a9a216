"""Faults of a disk: each has a sentence with what to do, and what is no such fault has none."""

import errno
import os

import pytest

from patchcore.disk.faults import disk_fault, may_pass


def fault(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("number", "words", "remedy"),
    [
        (errno.ENOSPC, "is full", "Make room"),
        (errno.EDQUOT, "is full", "Make room"),
        (errno.EROFS, "can only be read", "Make it writable"),
        (errno.EACCES, "may not work in", "permissions"),
        (errno.EIO, "does not answer", "connected and sound"),
        (errno.ESTALE, "does not answer", "connected and sound"),
        (errno.EFBIG, "no larger file", "higher limit"),
        (errno.EMFILE, "Too many files", "Close other programs"),
    ],
)
def test_a_sentence_says_what_is_wrong_and_what_to_do(tmp_path, number, words, remedy):
    for error in (fault(number), fault(number, str(tmp_path / "images" / "a.png"))):
        sentence = disk_fault(error, tmp_path)
        assert words in sentence and remedy in sentence and f"the workspace {tmp_path}" in sentence
        assert "Nothing that was saved is lost." in sentence and may_pass(error, tmp_path)
    assert "/elsewhere/b.png" in disk_fault(fault(number, "/elsewhere/b.png"), tmp_path)


def test_a_real_full_disk_is_told_without_a_name():
    with pytest.raises(OSError) as caught, open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"x")
    assert "files that are being written is full" in disk_fault(caught.value)


def test_a_folder_that_is_gone_is_told_from_a_file_that_is_lost(tmp_path):
    home = tmp_path / "home"
    missing = fault(errno.ENOENT, str(home / "results" / "1.png"))
    assert "is not there: it was moved or deleted" in disk_fault(missing, home) and may_pass(missing, home)
    home.mkdir()
    assert "results/1.png of the workspace" in disk_fault(missing, home) and not may_pass(missing, home)


def test_other_errors_are_nobody_elses_fault(tmp_path):
    for number in (errno.EINVAL, errno.EBADF, errno.EEXIST, 0):
        assert disk_fault(fault(number), tmp_path) is None
    assert disk_fault(fault(errno.ENOENT, "/elsewhere/a"), tmp_path) is None
    assert disk_fault(fault(errno.ENOENT, "a")) is None


@pytest.mark.parametrize(
    ("winerror", "words"), [(112, "is full"), (19, "only be read"), (53, "does not answer")]
)
def test_windows_has_numbers_of_its_own(winerror, words):
    error = fault(errno.EINVAL, "x.png")
    error.winerror = winerror
    assert words in disk_fault(error)
