"""What is done with files that have their verdict: moved without loss, told once."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from patchcore.errors import NotKept, PatchCoreError, SettingsError
from tests.workbench.watching.watched import put
from workbench.watching.folder import FileKey
from workbench.watching.outputs import PROGRAM, LineFile, Mover, Outputs, as_line, to_stdout
from workbench.watching.verdict import given

SHM = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def other_disk(tmp_path):
    if not SHM.is_dir() or SHM.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    place = SHM / f"watch-{os.getpid()}"
    place.mkdir()
    yield place
    shutil.rmtree(place)


def arrived(folder, name, data=b"abc", verdict="reject"):
    status = put(folder, name, data).stat()
    return given(FileKey(name, status.st_size, status.st_mtime_ns), data, "plate", verdict=verdict)


def planned(mover, one):
    return replace(one, moved_to=str(mover.plan(one)))


def files(place):
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()
    }


def test_a_file_goes_into_the_folder_of_its_verdict_with_its_time(folder, tmp_path):
    mover, one = Mover(folder, tmp_path / "out"), arrived(folder, "line/a.png")
    target = mover.move(planned(mover, one))
    assert target == tmp_path / "out/reject/line/a.png" and target.stat().st_mtime_ns == one.modified_ns
    assert files(folder) == {} and target.read_bytes() == b"abc"


def test_nothing_is_overwritten(folder, tmp_path):
    out = tmp_path / "out"
    mover = Mover(folder, out)
    put(out, "reject/a.png", b"old")
    first = planned(mover, arrived(folder, "a.png", b"one"))
    assert first.moved_to == str(out / "reject/a_2.png")
    put(out, "reject/a_2.png", b"someone's")  # between the plan and the move
    assert mover.move(first) == out / "reject/a_2_2.png"
    assert files(out / "reject") == {"a.png": b"old", "a_2.png": b"someone's", "a_2_2.png": b"one"}


def test_a_move_that_was_cut_off_is_completed_and_a_done_one_left_alone(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    one = planned(mover, arrived(folder, "a.png"))
    (tmp_path / "out/reject").mkdir(parents=True)
    os.link(folder / "a.png", one.moved_to)  # the crash came between the new name and the end of the old one
    assert mover.move(one) == mover.move(one) == Path(one.moved_to)
    assert files(folder) == {} and files(tmp_path / "out") == {"reject/a.png": b"abc"}


def test_a_new_file_of_that_name_is_not_taken_for_the_judged_one(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    one = planned(mover, arrived(folder, "a.png"))
    put(folder, "a.png", b"a new part")
    mover.move(one)
    assert files(folder) == {"a.png": b"a new part"} and not (tmp_path / "out").exists()


def test_on_another_disk_it_is_copied_whole_and_then_taken_away(folder, other_disk):
    mover = Mover(folder, other_disk)
    one = planned(mover, arrived(folder, "a.png"))
    put(other_disk, "reject/.a.png.part", b"a")  # half a copy that a crash left
    assert mover.move(one) == other_disk / "reject/a.png"
    assert files(other_disk) == {"reject/a.png": b"abc"} and files(folder) == {}
    assert (other_disk / "reject/a.png").stat().st_mtime_ns == one.modified_ns
    put(folder, "a.png", b"abc")
    os.utime(folder / "a.png", ns=(one.modified_ns, one.modified_ns))  # as if it had not been taken away
    mover.move(one)
    assert files(other_disk) == {"reject/a.png": b"abc"} and files(folder) == {}


def test_a_file_system_without_second_names_is_renamed_on(folder, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    put(tmp_path, "out/reject/a.png", b"old")
    mover = Mover(folder, tmp_path / "out")
    mover.move(replace(arrived(folder, "a.png"), moved_to=str(tmp_path / "out/reject/a.png")))
    assert files(tmp_path / "out") == {"reject/a.png": b"old", "reject/a_2.png": b"abc"}


def test_a_move_that_cannot_be_made_is_said_and_the_file_stays(folder, tmp_path):
    put(tmp_path, "out", b"a file where a folder should be")
    mover = Mover(folder, tmp_path / "out")
    with pytest.raises(NotKept, match="cannot be moved"):
        mover.move(replace(arrived(folder, "a.png"), moved_to=str(tmp_path / "out/reject/a.png")))
    assert files(folder) == {"a.png": b"abc"}


def test_moving_into_the_watched_folder_itself_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="files are moved to"):
        Mover(tmp_path / "accept", tmp_path)


def test_a_line_is_written_once_and_half_a_line_completed(folder, tmp_path):
    file, one, two = LineFile(tmp_path / "lines.jsonl"), arrived(folder, "a.png"), arrived(folder, "ü\n.png")
    file.write(one)
    whole = file.path.read_bytes()
    for left in (whole, whole[: len(whole) // 2], b""):
        file.path.write_bytes(left)
        file.write(one, again=True)
        assert file.path.read_bytes() == whole
    file.path.write_bytes(whole + b"something else that was cut off")
    file.write(two, again=True)
    first, _, last = file.path.read_text().splitlines()
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
def test_lines_are_never_appended_to_what_others_read(home, target):
    before = {path: path.lstat().st_mtime_ns for path in home.rglob("*")}
    with pytest.raises(SettingsError):
        LineFile(home / target)
    assert {path: path.lstat().st_mtime_ns for path in home.rglob("*")} == before


@pytest.mark.parametrize("inside", ["lines.jsonl", "patchcore/lines.json", "sample_data/new/lines.ndjson"])
def test_lines_do_not_come_into_the_programs_own_folder(inside):
    with pytest.raises(SettingsError, match="program's own folder"):
        LineFile(PROGRAM / inside)


@pytest.mark.parametrize("name", ["lines.jsonl", "LINES.JSON", "line 3/lines.ndjson"])
def test_lines_go_on_in_a_file_of_such_lines(folder, home, name):
    path, one, two = home / "lines" / name, arrived(folder, "a.png"), arrived(folder, "b.png")
    LineFile(path).write(one)
    path.write_bytes(path.read_bytes() + b'{"file": "b.p')  # as a crash leaves it
    LineFile(path).write(two, again=True)
    assert [json.loads(line)["file"] for line in path.read_text(encoding="utf-8").splitlines()] == [
        "a.png",
        "b.png",
    ]
    path.write_bytes(b"")
    LineFile(path).write(one)


def test_a_link_that_comes_later_is_not_followed(folder, home):
    lines = LineFile(home / "lines" / "lines.jsonl")
    lines.path.symlink_to(home / ".bashrc")
    with pytest.raises(NotKept):
        lines.write(arrived(folder, "a.png"))
    assert (home / ".bashrc").read_text(encoding="utf-8") == "alias ll='ls -l'\n"


def test_outputs_move_first_and_tell_where_the_file_is(folder, tmp_path):
    shown = []
    outputs = Outputs(Mover(folder, tmp_path / "out"), LineFile(tmp_path / "lines.jsonl"), shown.append)
    one = outputs.plan(arrived(folder, "a.png", verdict="review"))
    outputs.give(one)
    told = json.loads((tmp_path / "lines.jsonl").read_text())
    assert told["moved_to"] == str(tmp_path / "out/review/a.png") and Path(told["moved_to"]).exists()
    assert as_line(shown[0]) == json.dumps(told)


def test_what_has_no_verdict_stays(folder, tmp_path):
    outputs = Outputs(Mover(folder, tmp_path / "out"))
    one = outputs.plan(arrived(folder, "a.png", verdict=None))
    outputs.give(one)
    assert one.moved_to is None and files(folder) == {"a.png": b"abc"}


def test_nobody_reading_the_results_is_said(folder, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    pipe = os.fdopen(write, "w")
    monkeypatch.setattr(sys, "stdout", pipe)
    with pytest.raises(PatchCoreError, match="Nobody reads the results any more"):
        to_stdout(as_line)(arrived(folder, "a.png"))
    with pytest.raises(BrokenPipeError):
        pipe.close()
