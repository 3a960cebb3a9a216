"""Which files have arrived: complete ones, oldest first, and none that is still being written."""

import os
import threading
import time

import pytest

from patchcore.errors import NoImagesError
from tests.workbench.watching.watched import png, put
from workbench.watching.folder import FileKey, Watcher, is_provisional, require_folder


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verdicts():
    return set()


@pytest.fixture
def watcher(tmp_path, clock, verdicts):
    return Watcher(tmp_path, verdicts.__contains__, settle=1.0, interval=0.5, broken_after=10.0, clock=clock)


def names(arrived):
    return [one.key.path for one in arrived]


def test_file_is_ready_when_unchanged_over_two_looks_a_settle_time_apart(tmp_path, watcher, clock):
    path = put(tmp_path, "a.png", b"abc")
    assert watcher.look() == []
    clock.now += 0.9
    assert watcher.look() == []
    path.write_bytes(b"abcdef")
    clock.now += 0.1
    assert watcher.look() == []  # it has grown: the time begins again
    clock.now += 1.0
    (one,) = watcher.look()
    assert one.path == path and one.key == FileKey("a.png", 6, path.stat().st_mtime_ns)
    assert watcher.read(one) == b"abcdef" and not one.last_try


def test_oldest_files_come_first_and_judged_files_never_again(tmp_path, watcher, clock, verdicts):
    for name, age in [("b.png", 5), ("c.JPG", 9), ("a.tif", 1)]:
        put(tmp_path, name, b"x", age=age)
    watcher.look()
    clock.now += 1
    arrived = watcher.look()
    assert names(arrived) == ["c.JPG", "b.png", "a.tif"] and watcher.waiting() == set(names(arrived))
    verdicts.add(arrived[0].key)
    watcher.done(arrived[0].key)
    assert names(watcher.look()) == ["b.png", "a.tif"]


def test_a_file_with_new_content_counts_again(tmp_path, watcher, clock, verdicts):
    path = put(tmp_path, "a.png", b"one", age=5)
    watcher.look()
    clock.now += 1
    (one,) = watcher.look()
    verdicts.add(one.key)
    watcher.done(one.key)
    path.write_bytes(b"two")  # the same size
    assert watcher.look() == []
    clock.now += 1
    (again,) = watcher.look()
    assert again.key != one.key and watcher.read(again) == b"two"


@pytest.mark.parametrize(
    "name",
    [".a.png", "a.png.part", "a.part.png", "a.png.tmp", "a.tmp.png", "~a.png", "a.png~", "a~.png", "a.txt"],
)
def test_names_of_unfinished_files_are_skipped(tmp_path, watcher, clock, name):
    put(tmp_path, name, b"x")
    watcher.look()
    clock.now += 2
    assert watcher.look() == []
    assert is_provisional("a.PART") and not is_provisional("part.png")


def test_links_are_skipped_and_folders_below_count_only_when_asked(tmp_path, clock, verdicts):
    put(tmp_path, "in/below/a.png", b"x")
    put(tmp_path, "in/accept/b.png", b"x")
    put(tmp_path, "elsewhere/c.png", b"x")
    (tmp_path / "in/link.png").symlink_to(tmp_path / "elsewhere/c.png")
    (tmp_path / "in/folder").symlink_to(tmp_path / "elsewhere")
    folder = tmp_path / "in"
    for subfolders, expected in [(False, []), (True, ["below/a.png"])]:
        watcher = Watcher(
            folder,
            verdicts.__contains__,
            settle=0,
            subfolders=subfolders,
            exclude=[folder / "accept"],
            clock=clock,
        )
        watcher.look()
        assert names(watcher.look()) == expected


def test_file_open_for_writing_waits_but_not_for_ever(tmp_path, watcher, clock):
    path = put(tmp_path, "a.png", b"whole")
    with path.open("ab"):
        watcher.look()
        clock.now += 1
        (one,) = watcher.look()
        assert watcher.read(one) is None
        watcher.retry(one.key)
        assert watcher.look() == []
        clock.now += 9
        (last,) = watcher.look()
        assert last.last_try and watcher.read(last) == b"whole"
    clock.now += 1
    assert watcher.read(one) == b"whole"


def test_reading_notices_a_change_since_the_look(tmp_path, watcher, clock):
    path = put(tmp_path, "a.png", b"one")
    watcher.look()
    clock.now += 1
    (one,) = watcher.look()
    path.write_bytes(b"three")
    assert watcher.read(one) is None
    path.unlink()
    assert watcher.read(one) is None and watcher.look() == [] and watcher.waiting() == set()


def test_unreadable_file_is_tried_less_and_less_often_until_a_last_time(tmp_path, watcher, clock):
    put(tmp_path, "a.png", b"x")
    watcher.look()
    tries = []
    for _ in range(60):
        clock.now += 0.25
        for one in watcher.look():
            tries.append((clock.now - 100.0, one.last_try))
            watcher.retry(one.key)
    assert [last for _, last in tries].index(True) == len([t for t, _ in tries if t < 10.0])
    assert tries[0][0] == 1.0 and (10.0, True) in tries and len(tries) < 10


def test_folder_that_goes_away_is_reported_and_its_files_are_found_when_it_is_back(tmp_path, watcher, clock):
    folder = watcher.folder = tmp_path / "share"
    put(folder, "a.png", b"x")
    watcher.look()
    folder.rename(tmp_path / "gone")
    clock.now += 1
    assert watcher.look() == [] and watcher.away == "No such file or directory" and not watcher.is_there()
    (tmp_path / "gone").rename(folder)
    assert names(watcher.look()) == ["a.png"] and watcher.away == ""  # it settled meanwhile


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(NoImagesError, match="nowhere is not a folder"):
        require_folder(tmp_path / "nowhere")


def test_tens_of_thousands_of_files_are_listed_quickly_and_checked_once(tmp_path, clock):
    asked = []
    for number in range(20_000):
        os.close(os.open(tmp_path / f"{number:05d}.png", os.O_CREAT))
    watcher = Watcher(tmp_path, lambda key: asked.append(key) or True, clock=clock)
    watcher.look()
    began = time.thread_time()
    assert watcher.look() == []
    assert len(asked) == 20_000 and time.thread_time() - began < 1.0


def test_a_file_that_a_slow_camera_writes_in_pieces_is_read_whole(tmp_path):
    whole = png(200, side=300)
    watcher = Watcher(tmp_path, lambda _: False, settle=0.15, interval=0.02)

    def write():
        with (tmp_path / "a.png").open("wb") as file:
            for start in range(0, len(whole), max(1, len(whole) // 5)):
                file.write(whole[start : start + max(1, len(whole) // 5)])
                file.flush()
                time.sleep(0.25)  # longer than files settle: it is open for writing that tells

    writer = threading.Thread(target=write)
    writer.start()
    read, deadline = None, time.monotonic() + 20
    while read is None and time.monotonic() < deadline:
        for one in watcher.look():
            read = watcher.read(one)
            if read is None:
                watcher.retry(one.key)
        time.sleep(0.02)
    writer.join()
    assert read == whole
