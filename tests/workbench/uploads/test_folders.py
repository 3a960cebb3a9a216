"""Folders as the interface shows them: open ones alone, with their images counted by name."""

import os

import pytest

from workbench.uploads import folders
from workbench.uploads.folders import first_folder, list_folder
from workbench.uploads.intake import FolderError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two open roots: parts with folders of good and bad ones, and an empty drive."""
    home, drive = tmp_path / "home", tmp_path / "drive"
    for name in (
        "parts/good/a.PNG",
        "parts/good/b.tif",
        "parts/good/notes.txt",
        "parts/bad/c.jpg",
        "parts/d.bmp",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x")
    for name in (".ssh", "parts/.cache", "workspace", "parts/Übersicht"):
        (home / name).mkdir()
    drive.mkdir()
    monkeypatch.setenv("PATCHCORE_ROOTS", f"{home}{os.pathsep}{drive}")
    return home


def shown(listing):
    return [(one.path.name, one.images, one.folders) for one in listing.folders]


def test_the_computer_shows_its_open_roots(home):
    listing = list_folder(None)
    assert (listing.here, listing.above) == (None, None)
    assert shown(listing) == [("home", 0, 2), ("drive", 0, 0)]


def test_a_folder_shows_its_open_folders_with_their_images(home):
    listing = list_folder(home, exclude=[home / "workspace"])
    assert shown(listing) == [("parts", 1, 3)] and listing.above is None
    listing = list_folder(home / "parts")
    assert (listing.here.images, listing.above, listing.more) == (1, home, 0)
    assert shown(listing) == [("bad", 1, 0), ("good", 2, 0), ("Übersicht", 0, 0)]


def test_what_is_not_open_is_refused_with_a_sentence(home, tmp_path):
    for place, words in (
        (tmp_path, "outside the folders that are open"),
        (home / ".ssh", "hidden folder"),
        (home / "absent", "not a folder"),
        (home / "workspace", "belongs to the dashboard"),
    ):
        with pytest.raises(FolderError, match=words):
            list_folder(place, exclude=[home / "workspace"])


def test_links_to_folders_are_not_listed(home, tmp_path):
    (home / "parts" / "elsewhere").symlink_to(tmp_path / "drive", target_is_directory=True)
    assert "elsewhere" not in [one.path.name for one in list_folder(home / "parts").folders]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="every folder is open to the administrator")
def test_a_folder_without_permission_says_so(home):
    (home / "parts" / "bad").chmod(0)
    (told,) = [one.problem for one in list_folder(home / "parts").folders if one.problem]
    assert told.endswith("cannot be opened (Permission denied). Check its permissions.")


def test_very_large_folders_are_listed_and_counted_in_part(home, monkeypatch):
    monkeypatch.setattr(folders, "MOST_FOLDERS", 2)
    monkeypatch.setattr(folders, "MOST_ENTRIES", 2)
    listing = list_folder(home / "parts")
    assert (len(listing.folders), listing.more, listing.here.whole) == (2, 1, False)


def test_the_browser_begins_at_the_first_place_that_is_open(home, tmp_path):
    assert first_folder("", str(home / "parts")) == home / "parts"
    assert first_folder(str(tmp_path), "parts/good") == home / "parts" / "good"
    assert first_folder("absent") == home
