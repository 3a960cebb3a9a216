"""Lines of JSON are written once, and only into files of such lines."""

import json
import os

import pytest

from patchcore.errors import NotKept, SettingsError
from tests.workbench.watching.watched import arrived
from workbench.watching.outputs.lines import PROGRAM, LineFile


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_a_line_is_written_once_and_half_a_line_completed(folder, tmp_path):
    file, one, two = LineFile(tmp_path / "lines.jsonl"), arrived(folder, "a.png"), arrived(folder, "ü\n.png")
    file.deliver(one, again=False)
    whole = file.path.read_bytes()
    for left in (whole, whole[: len(whole) // 2], b""):
        file.path.write_bytes(left)
        file.deliver(one, again=True)
        assert file.path.read_bytes() == whole
    file.path.write_bytes(whole + b"something else that was cut off")
    file.deliver(two, again=True)
    first, _, last = file.path.read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["file"] == "a.png" and json.loads(last) == two.to_dict()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with what shells and programs read in it; a file for lines may lie beside it."""
    home = tmp_path / "home"
    for folder in (".config/autostart", ".ssh", "AppData/Roaming", "Library/LaunchAgents", "lines"):
        (home / folder).mkdir(parents=True)
    (home / ".bashrc").write_text("alias ll='ls -l'\n", encoding="utf-8")
    (home / "settings.json").write_text('{"editor": "vi"}\n', encoding="utf-8")
    (home / "notes.jsonl").write_text('{"file": "a", "note": 1}\n', encoding="utf-8")
    (home / "array.json").write_text("[1, 2]", encoding="utf-8")
    (home / "linked.jsonl").symlink_to(home / ".bashrc")
    os.mkfifo(home / "pipe.jsonl")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.parametrize(
    "target",
    [
        ".bashrc",
        ".bashrc.json",
        ".profile",
        "lines",
        "lines/run.sh",
        "lines/run",
        "lines/authorized_keys",
        ".ssh/lines.jsonl",
        ".config/autostart/lines.json",
        "AppData/Roaming/lines.jsonl",
        "Library/LaunchAgents/lines.json",
        "linked.jsonl",
        "settings.json",
        "notes.jsonl",
        "array.json",
        "pipe.jsonl",
        "lines/../.ssh/lines.ndjson",
    ],
)
def test_lines_are_never_appended_to_files_of_other_programs(home, target):
    before = {path: path.lstat().st_mtime_ns for path in home.rglob("*")}
    with pytest.raises(SettingsError):
        LineFile(home / target)
    assert {path: path.lstat().st_mtime_ns for path in home.rglob("*")} == before


@pytest.mark.parametrize("inside", ["lines.jsonl", "patchcore/lines.json", "sample_data/new/lines.ndjson"])
def test_line_file_in_the_programs_own_folder_is_refused(inside):
    with pytest.raises(SettingsError, match="program's own folder"):
        LineFile(PROGRAM / inside)


@pytest.mark.parametrize("name", ["lines.jsonl", "LINES.JSON", "line 3/lines.ndjson"])
def test_lines_go_on_in_a_file_of_such_lines(folder, home, name):
    path, one, two = home / "lines" / name, arrived(folder, "a.png"), arrived(folder, "b.png")
    LineFile(path).deliver(one, again=False)
    path.write_bytes(path.read_bytes() + b'{"file": "b.p')  # as a crash leaves it
    LineFile(path).deliver(two, again=True)
    assert [json.loads(line)["file"] for line in path.read_text(encoding="utf-8").splitlines()] == [
        "a.png",
        "b.png",
    ]
    path.write_bytes(b"")
    LineFile(path).deliver(one, again=False)


def test_a_link_that_comes_later_is_not_followed(folder, home):
    lines = LineFile(home / "lines" / "lines.jsonl")
    lines.path.symlink_to(home / ".bashrc")
    with pytest.raises(NotKept):
        lines.deliver(arrived(folder, "a.png"), again=False)
    assert (home / ".bashrc").read_text(encoding="utf-8") == "alias ll='ls -l'\n"


@pytest.mark.parametrize("name", ["x" * 300 + ".jsonl", "ü" * 200 + ".json", "file/x.jsonl", "folder.jsonl"])
def test_places_that_no_line_can_be_appended_to_are_refused_at_the_start(tmp_path, name):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(SettingsError, match=r"cannot be written .*\. \S|is a folder"):
        LineFile(tmp_path / name).require_targets()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.jsonl"]


def test_trying_a_file_leaves_it_as_it_was(tmp_path, folder):
    lines = LineFile(tmp_path / "new/lines.jsonl")
    lines.require_targets()
    assert not (tmp_path / "new").exists()
    lines.deliver(arrived(folder, "a.png"), again=False)
    before = lines.path.read_bytes()
    lines.require_targets()
    assert lines.path.read_bytes() == before
