"""What is done with files that have their verdict: moved without loss, told once."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from patchcore.errors import NotKept, PatchCoreError, SettingsError
from patchcore.watch_outputs import LineFile, Mover, Outputs, as_line, to_stdout
from patchcore.watch_verdict import given
from patchcore.watching import FileKey
from tests.patchcore.watched import put

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
