"""A file that another program has open for a moment is renamed and deleted all the same, as on Windows."""

import os
from pathlib import Path

import pytest

from patchcore.disk import in_use
from patchcore.disk.in_use import delete_file, delete_folder, rename, rename_to_free
from patchcore.whole_files import whole_file


def refusal(number=32):
    """Return the error of a file that another program has open, as Windows raises it."""
    fault = PermissionError(
        13, "The process cannot access the file because it is being used by another process"
    )
    fault.winerror = number
    return fault


@pytest.fixture
def refusals(monkeypatch):
    """Errors that the next renamings and deletions raise, in order; no pause is waited for."""
    waiting: list[OSError] = []

    def refused_at_first(action):
        def act(*arguments, **named):
            if waiting:
                raise waiting.pop(0)
            return action(*arguments, **named)

        return act

    for name in ("rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, refused_at_first(getattr(os, name)))
    monkeypatch.setattr(in_use.time, "sleep", lambda _: None)
    return waiting


def test_a_file_that_is_in_use_for_a_moment_is_renamed_and_deleted_all_the_same(tmp_path, refusals):
    target = tmp_path / "a.txt"
    refusals += [refusal(), refusal(5)]
    with whole_file(target) as part:
        part.write_text("new", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "new" and not refusals
    refusals += [refusal(33)]
    rename(target, tmp_path / "b.txt")
    refusals += [refusal(), refusal()]
    delete_file(tmp_path / "b.txt")
    assert not list(tmp_path.iterdir()) and not refusals


def test_a_folder_in_which_a_file_is_in_use_for_a_moment_is_deleted_all_the_same(tmp_path, refusals):
    (tmp_path / "draft/sub").mkdir(parents=True)
    (tmp_path / "draft/sub/file").write_bytes(b"x")
    refusals += [refusal()]
    delete_folder(tmp_path / "draft")
    delete_folder(tmp_path / "absent")
    assert not list(tmp_path.iterdir())


def test_lasting_use_and_other_faults_are_raised(tmp_path, refusals):
    (tmp_path / "a").write_bytes(b"x")
    refusals += [refusal()] * (len(in_use.PAUSES) + 1)
    with pytest.raises(PermissionError, match="used by another"):
        delete_file(tmp_path / "a")
    refusals += [PermissionError(13, "Permission denied"), refusal()]
    with pytest.raises(PermissionError, match="denied"):
        delete_file(tmp_path / "a")
    assert len(refusals) == 1 and (tmp_path / "a").exists()


def test_windows_renames_to_a_free_name_without_a_second_name_and_deletes_read_only_files(
    tmp_path, monkeypatch
):
    def rename_as_windows(source, target):
        if os.path.lexists(target):
            raise FileExistsError(17, "exists", str(target))
        Path(source).replace(target)

    monkeypatch.setattr(in_use, "WINDOWS", True)
    monkeypatch.setattr(os, "rename", rename_as_windows)
    monkeypatch.delattr(os, "link")
    for name in ("a", "b"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    with pytest.raises(FileExistsError):
        rename_to_free(tmp_path / "a", tmp_path / "b")
    rename_to_free(tmp_path / "a", tmp_path / "c")
    (tmp_path / "c").chmod(0o444)
    real = os.unlink

    def unlink_as_windows(path):
        if not Path(path).stat().st_mode & 0o200:
            raise PermissionError(13, "Access is denied", str(path))
        real(path)

    monkeypatch.setattr(os, "unlink", unlink_as_windows)
    delete_file(tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
