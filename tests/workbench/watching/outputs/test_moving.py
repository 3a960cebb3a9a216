"""Files that have their verdict are moved without loss."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from patchcore.disk import in_use
from patchcore.errors import NotKept, SettingsError
from tests.workbench.watching.watched import arrived, files, put
from workbench.watching.outputs.moving import Mover

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


def move(mover, one, *, again=False):
    return Path(mover.deliver(one, again=again).moved_to)


def test_a_file_goes_into_the_folder_of_its_verdict_with_its_time(folder, tmp_path):
    mover, one = Mover(folder, tmp_path / "out"), arrived(folder, "line/a.png")
    target = move(mover, mover.plan(one))
    assert target == tmp_path / "out/reject/line/a.png" and target.stat().st_mtime_ns == one.modified_ns
    assert files(folder) == {} and target.read_bytes() == b"abc"


def test_existing_files_are_not_overwritten(folder, tmp_path):
    out = tmp_path / "out"
    mover = Mover(folder, out)
    put(out, "reject/a.png", b"old")
    first = mover.plan(arrived(folder, "a.png", b"one"))
    assert first.moved_to == str(out / "reject/a_2.png")
    put(out, "reject/a_2.png", b"someone's")  # between the plan and the move
    assert move(mover, first) == out / "reject/a_2_2.png"
    assert files(out / "reject") == {"a.png": b"old", "a_2.png": b"someone's", "a_2_2.png": b"one"}


def test_interrupted_move_is_completed_and_a_finished_one_left_alone(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    one = mover.plan(arrived(folder, "a.png"))
    (tmp_path / "out/reject").mkdir(parents=True)
    os.link(folder / "a.png", one.moved_to)  # the crash came between the new name and the end of the old one
    assert move(mover, one) == move(mover, one) == Path(one.moved_to)
    assert files(folder) == {} and files(tmp_path / "out") == {"reject/a.png": b"abc"}


def test_new_file_of_the_same_name_is_not_moved(folder, tmp_path):
    mover = Mover(folder, tmp_path / "out")
    one = mover.plan(arrived(folder, "a.png"))
    put(folder, "a.png", b"a new part")
    move(mover, one)
    assert files(folder) == {"a.png": b"a new part"} and not (tmp_path / "out").exists()


def test_move_to_another_disk_copies_the_whole_file_before_removing_it(folder, other_disk):
    mover = Mover(folder, other_disk)
    one = mover.plan(arrived(folder, "a.png"))
    put(other_disk, "reject/.a.png.part", b"a")  # half a copy that a crash left
    assert move(mover, one) == other_disk / "reject/a.png"
    assert files(other_disk) == {"reject/a.png": b"abc"} and files(folder) == {}
    assert (other_disk / "reject/a.png").stat().st_mtime_ns == one.modified_ns
    put(folder, "a.png", b"abc")
    os.utime(folder / "a.png", ns=(one.modified_ns, one.modified_ns))  # as if it had not been taken away
    move(mover, one)
    assert files(other_disk) == {"reject/a.png": b"abc"} and files(folder) == {}


def test_file_system_without_hard_links_renames(folder, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    put(tmp_path, "out/reject/a.png", b"old")
    mover = Mover(folder, tmp_path / "out")
    move(mover, replace(arrived(folder, "a.png"), moved_to=str(tmp_path / "out/reject/a.png")))
    assert files(tmp_path / "out") == {"reject/a.png": b"old", "reject/a_2.png": b"abc"}


def test_impossible_move_raises_not_kept_and_the_file_stays(folder, tmp_path):
    put(tmp_path, "out", b"a file where a folder should be")
    mover = Mover(folder, tmp_path / "out")
    with pytest.raises(NotKept, match="cannot be moved"):
        move(mover, replace(arrived(folder, "a.png"), moved_to=str(tmp_path / "out/reject/a.png")))
    assert files(folder) == {"a.png": b"abc"}


def test_moving_into_the_watched_folder_itself_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="files are moved to"):
        Mover(tmp_path / "accept", tmp_path)


@pytest.mark.parametrize("name", ["file", "file/deeper", "x" * 300, "ü" * 200])
def test_places_that_no_file_can_be_moved_to_are_refused_at_the_start(folder, tmp_path, name):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"cannot be written .*Choose"):
        Mover(folder, tmp_path / name).require_targets()
    Mover(folder, tmp_path / "out").require_targets()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in"]


@pytest.mark.parametrize("letter", ["x", "ü", "螺", "🔩"])
def test_a_taken_name_as_long_as_a_disk_takes_gets_a_number_all_the_same(folder, tmp_path, letter):
    name = letter * (251 // len(letter.encode())) + ".png"
    mover = Mover(folder, tmp_path / "out")
    put(tmp_path / "out", f"reject/{name}", b"old")
    target = move(mover, mover.plan(arrived(folder, name)))
    assert target.name.endswith("_2.png") and target.read_bytes() == b"abc"
    assert files(folder) == {} and len(files(tmp_path / "out")) == 2


def test_on_windows_a_file_in_use_is_moved_a_moment_later_and_replaces_nothing(folder, tmp_path, monkeypatch):
    refusals = []

    def rename_as_windows(source, target):
        if not refusals:
            refusals.append(PermissionError(13, "The file is being used by another process"))
            refusals[0].winerror = 32
            raise refusals[0]
        if os.path.lexists(target):
            raise FileExistsError(17, "The file exists", str(target))
        Path(source).replace(target)

    monkeypatch.setattr(in_use, "WINDOWS", True)
    monkeypatch.setattr(os, "rename", rename_as_windows)
    put(tmp_path, "out/reject/a.png", b"someone's")
    one = replace(arrived(folder, "a.png"), moved_to=str(tmp_path / "out/reject/a.png"))
    assert move(Mover(folder, tmp_path / "out"), one) == tmp_path / "out/reject/a_2.png"
    assert files(tmp_path / "out") == {"reject/a.png": b"someone's", "reject/a_2.png": b"abc"} and refusals
