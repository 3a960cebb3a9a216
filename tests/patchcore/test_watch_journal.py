"""What is kept of a watched folder: durable, tolerant of a torn end, of one process and one folder."""

import json
import resource
from contextlib import contextmanager

import pytest

from patchcore import watch_journal
from patchcore.errors import NotKept, SettingsError
from patchcore.watch_journal import FileJournal
from patchcore.watch_verdict import Given, Judged, given
from patchcore.watching import FileKey

KEY, OTHER = FileKey("a.png", 3, 10**18 + 1), FileKey("ö\udcff.png", 4, 7)


def judged(key, **values):
    return Judged(given(key, b"abc", "plate", **values), b"abc")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plate.jsonl"


@pytest.fixture
def reopened(path, tmp_path):
    """Give what opens the journal anew, as a restart does."""
    opened = []

    def open_one(say=lambda _: None):
        if opened:
            opened.pop().close()
        opened.append(FileJournal(path, tmp_path, say))
        return opened[0]

    yield open_one
    if opened:
        opened.pop().close()


def test_a_verdict_is_known_after_a_restart_and_unfinished_until_it_was_told(reopened):
    journal = reopened()
    first, second = judged(KEY, score=1.5, verdict="accept"), judged(OTHER, error="truncated")
    journal.record(first)
    journal.record(second)
    journal.finish(KEY)
    again = reopened()
    assert again.seen(KEY) and again.seen(OTHER)
    assert not again.seen(KEY._replace(size=4)) and not again.seen(KEY._replace(mtime_ns=1))
    assert again.unfinished() == [second.given]
    again.finish(OTHER)
    assert reopened().unfinished() == []


def test_a_line_that_was_cut_off_counts_as_not_written(reopened, path):
    journal = reopened()
    journal.record(judged(KEY))
    whole = path.read_bytes()
    journal.record(judged(OTHER))
    path.write_bytes(path.read_bytes()[:-9])
    again = reopened()
    assert again.seen(KEY) and not again.seen(OTHER) and path.read_bytes() == whole
    again.record(judged(OTHER))
    assert reopened().seen(OTHER)


def test_a_line_that_is_damaged_is_named_and_the_others_are_known(reopened, path):
    reopened().record(judged(KEY))
    path.write_bytes(path.read_bytes() + b"\0\0\0\n")
    said = []
    assert reopened(said.append).seen(KEY)
    assert said == [f"{path}, line 3, cannot be read; what it says is not known."]


@contextmanager
def no_file_larger_than(size):
    """Have the system refuse to let any file grow beyond a size, as a full disk does."""
    _, hard = soft_hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft_hard)


def test_a_full_disk_is_said_and_leaves_no_half_line(reopened, path):
    journal = reopened()
    before = path.read_bytes()
    with no_file_larger_than(len(before) + 20), pytest.raises(NotKept, match="cannot be written"):
        journal.record(judged(KEY))
    assert not journal.seen(KEY) and path.read_bytes() == before
    journal.record(judged(KEY))
    assert reopened().seen(KEY)


def test_a_journal_has_one_process_and_one_folder(reopened, path, tmp_path):
    reopened()
    with pytest.raises(SettingsError, match="Another process watches"):
        FileJournal(path, tmp_path)
    reopened().close()
    (tmp_path / "other").mkdir()
    with pytest.raises(SettingsError, match="is the journal of"):
        FileJournal(path, tmp_path / "other")
    FileJournal(path, tmp_path).close()  # the refused one let go of it


def test_a_long_journal_is_begun_anew_and_the_old_one_kept(reopened, path, tmp_path, monkeypatch):
    journal = reopened()
    (tmp_path / "here.png").touch()
    here, gone, pending = (FileKey(name, 1, 1) for name in ("here.png", "gone.png", "pending.png"))
    for key in (here, gone, pending):
        journal.record(judged(key))
        if key != pending:
            journal.finish(key)
    before = path.read_bytes()
    monkeypatch.setattr(watch_journal, "LONG", 5)
    again = reopened()
    assert [again.seen(key) for key in (here, gone, pending)] == [True, False, True]
    assert [one.key for one in again.unfinished()] == [pending]
    assert len(lines(path)) == 3
    (aside,) = tmp_path.glob("plate-until-*.jsonl")
    assert aside.read_bytes() == before
    again.record(judged(gone))
    assert reopened().seen(gone) and reopened().seen(here)


def test_what_a_newer_program_wrote_is_read():
    plain = given(KEY, b"abc", "plate").to_dict()
    assert Given.from_dict({**plain, "colour": "blue"}) == Given.from_dict(plain)
