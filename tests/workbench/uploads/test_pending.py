"""Uploads that wait for an answer: they come back whole, for their person alone, and go in time."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.workbench.clocks import set_clock
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.clock import follow_clock
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace
from workbench.upkeep.check import check
from workbench.uploads import pending
from workbench.uploads.image_set import UploadSet
from workbench.uploads.pending import ABOUT, GONE, KEPT, of_inspector

OTHER = Person("Berta", Role.OPERATE, "berta@example.org")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace of SQLite alone: pending uploads have no rows."""
    here = Workspace(tmp_path_factory.mktemp("pending") / "workspace")
    yield here
    here.close()


@pytest.fixture
def brought(workspace, tmp_path):
    """Bring in an uploaded image and a table, an image of this computer, and a file left out."""

    def bring(key, title="lot 8"):
        spool, elsewhere = workspace.spool_folder(), tmp_path / "there.png"
        elsewhere.write_bytes(b"there")
        uploads = UploadSet()
        for name, add in (("a/1.png", uploads.add), ("labels.csv", uploads.add_labels)):
            (spool / name.replace("/", "_")).write_bytes(name.encode())
            add(name, spool / name.replace("/", "_"))
        uploads.add("there.png", elsewhere)
        uploads.leave_out("readme.txt", "no image.")
        pending.hold(workspace, key, uploads, title, spool, {"labels": ["typ 1"]})
        return elsewhere

    return bring


def folders(workspace):
    return list((workspace.root / "pending").glob("*/*"))


def test_files_come_back_whole_and_one_that_is_gone_is_named(workspace, brought):
    key = of_inspector("labelled", "washer")
    elsewhere = brought(key)
    found = pending.find(Workspace(workspace.root), key)  # as after a reload
    assert [(one.name, one.data.read_bytes()) for one in found.uploads] == [
        ("a/1.png", b"a/1.png"),
        ("there.png", b"there"),
    ]
    assert [one.data.read_bytes() for one in found.uploads.tables] == [b"labels.csv"]
    assert (found.title, found.about) == ("lot 8", {"labels": ["typ 1"]})
    elsewhere.unlink()
    left_out = {one.name: one.reason for one in pending.find(workspace, key).uploads.left_out}
    assert left_out["there.png"] == GONE and left_out["readme.txt"] == "no image."
    brought(key, "lot 9")  # takes the place of the first
    assert pending.find(workspace, key).title == "lot 9" and len(folders(workspace)) == 1
    pending.drop(workspace, key)
    assert pending.find(workspace, key) is None and folders(workspace) == []


def test_they_are_one_persons_own(workspace, brought):
    brought("file1")
    with acting(OTHER):
        assert pending.find(workspace, "file1") is None
        pending.drop(workspace, "file1")
    assert pending.find(workspace, "file1") is not None
    with acting(Person("Viola", Role.VIEW)), pytest.raises(NotAllowed, match="bring files in"):
        brought("file2")
    with pytest.raises(WorkspaceError):
        pending.find(workspace, "../other")


def test_they_go_in_time_and_with_their_inspector(workspace, brought):
    brought(of_inspector("labelled", "washer"))
    brought(of_inspector("labelled", "washer-2"))
    [mine] = pending.folders_of_inspector(workspace, "washer")
    assert mine.name == "labelled_washer"
    pending.sweep(workspace)
    assert mine.exists()
    past = time.time() - KEPT.total_seconds() - 60
    os.utime(mine / ABOUT, (past, past))
    pending.sweep(workspace)
    assert not mine.exists() and pending.find(workspace, of_inspector("labelled", "washer-2")) is not None


def test_a_clock_far_ahead_or_one_that_stood_in_2000_deletes_none(workspace, brought, monkeypatch):
    here = datetime.now(UTC)
    follow_clock(workspace)
    brought("file1")
    set_clock(monkeypatch, here + KEPT + timedelta(days=1))
    pending.sweep(workspace)
    assert pending.find(workspace, "file1") is not None
    set_clock(monkeypatch, datetime(2000, 1, 1, tzinfo=UTC))
    brought("file2")
    set_clock(monkeypatch, here + timedelta(days=1))
    pending.sweep(workspace)
    assert pending.find(workspace, "file2").saved.year == 2000
    for day in range(2, 9):
        set_clock(monkeypatch, here + timedelta(days=day))
        follow_clock(workspace)
        pending.sweep(workspace)
    assert pending.find(workspace, "file2") is None


def test_what_a_crash_left_is_found_by_the_check(workspace, brought):
    brought("file3")
    (folder,) = (one for one in folders(workspace) if one.name == "file3")
    assert not [one for one in check(workspace, grace=0) if one.place.startswith("pending/")]
    (folder / ABOUT).unlink()
    assert pending.find(workspace, "file3") is None
    assert "cut off" in next(one.trouble for one in check(workspace, grace=0) if "file3" in one.place)
    assert folder in pending.incomplete(workspace, grace=0)
