"""Files of secrets: existence, readability, and permissions."""

import os

import pytest

from workbench.people.secrets_files import (
    ends_streamlit,
    is_there,
    open_to_others,
    sections,
    there_or_alike,
    why_unreadable,
    writable_by_anybody,
)

POSIX = pytest.mark.skipif(os.name == "nt", reason="the system has no such modes or links")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "secrets.toml"


@pytest.mark.parametrize("name", ["secrets.toml", "Secrets.toml", "SECRETS.TOML", "secrets.toml.txt"])
def test_a_file_is_found_also_under_nearly_its_name(file, name):
    assert there_or_alike(file) == []
    file.with_name(name).touch()
    assert there_or_alike(file) == [file.with_name(name)]


@pytest.mark.parametrize("name", ["secrets.toml.example", "my-secrets.toml", "secrets.json", "config.toml"])
def test_a_file_of_another_name_is_another_file(file, name):
    file.with_name(name).touch()
    assert there_or_alike(file) == []


@POSIX
def test_anything_at_the_path_counts_as_present(file):
    assert not is_there(file) and there_or_alike(file / "below") == []
    file.symlink_to("nowhere")
    assert is_there(file) and there_or_alike(file) == [file]


def test_a_readable_file_has_no_fault(file):
    file.write_text("[auth]\nname = 'Jürgen'\n", encoding="utf-8")
    assert why_unreadable(file) is None and ends_streamlit(file) is None
    file.write_text("", encoding="utf-8")
    assert why_unreadable(file) is None


@pytest.mark.parametrize(
    ("content", "told", "ends"),
    [
        (b"[auth\n", "is not TOML: ", False),
        (b"[auth]\na = 1\n[auth]\nb = 2\n", "is not TOML: ", False),
        (b"\xef\xbb\xbf[auth]\n", "begins with a byte-order mark", False),
        ("[auth]\nname = 'Jürgen'\n".encode("latin-1"), "is not UTF-8 text", True),
        ("[auth]\n".encode("utf-16"), "is not UTF-8 text", True),
    ],
)
def test_an_unreadable_file_is_reported_with_its_cause(file, content, told, ends):
    file.write_bytes(content)
    assert told in why_unreadable(file) and (ends_streamlit(file) is not None) == ends


def test_a_folder_in_the_place_of_the_file_is_reported(file):
    file.mkdir()
    assert "is a folder" in why_unreadable(file) and "is a folder" in ends_streamlit(file)


@POSIX
def test_a_file_that_cannot_be_opened_is_reported(file):
    file.symlink_to(file)
    assert "cannot be read" in why_unreadable(file) and "cannot be read" in ends_streamlit(file)


def test_a_folder_of_secrets_is_read_two_levels_down(tmp_path):
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "client_id").write_bytes(b"a")
    assert why_unreadable(tmp_path) is None
    (tmp_path / "auth" / "client_secret").write_bytes(b"\xff")
    assert "is not UTF-8 text" in why_unreadable(tmp_path)
    assert "neither a folder nor a file" in why_unreadable(tmp_path / "auth" / "client_id")


def test_sections_of_settings_are_listed(file):
    assert sections(file) == []
    file.write_text("[server]\n[Auth]\n", encoding="utf-8")
    assert sections(file) == ["server", "Auth"]
    file.write_text("[server", encoding="utf-8")
    assert sections(file) == []


@POSIX
@pytest.mark.parametrize(
    ("mode", "others", "anybody"),
    [
        (0o600, False, False),
        (0o400, False, False),
        (0o640, True, False),
        (0o604, True, False),
        (0o620, True, False),
        (0o664, True, False),
        (0o602, True, True),
        (0o666, True, True),
    ],
)
def test_files_open_to_other_users_are_returned(file, mode, others, anybody):
    file.touch()
    file.chmod(mode)
    assert (open_to_others([file]), writable_by_anybody(file)) == ([file] if others else [], anybody)


@POSIX
def test_files_in_a_folder_of_secrets_are_looked_at_each(tmp_path):
    (tmp_path / "auth").mkdir()
    kept, open_file = tmp_path / "auth" / "client_id", tmp_path / "auth" / "client_secret"
    for path, mode in ((kept, 0o600), (open_file, 0o644)):
        path.touch()
        path.chmod(mode)
    assert open_to_others([tmp_path, tmp_path / "absent.toml"]) == [open_file]
