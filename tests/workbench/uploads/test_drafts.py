import os
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.workbench.clocks import set_clock
from tests.workbench.parts import ADA, BEN, plate
from workbench.people.roles import acting
from workbench.storage.clock import follow_clock
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.writing import back_up
from workbench.upkeep.check import check, repair
from workbench.uploads import drafts
from workbench.uploads.intake import from_files
from workbench.uploads.preflight import preflight

CHOSEN = {"name": "M6", "step": 3}


@pytest.fixture
def workspace(tmp_path, untouched):
    """A workspace of SQLite alone: drafts have no rows."""
    shutil.copytree(untouched, tmp_path / "here")
    with_files = Workspace(tmp_path / "here")
    yield with_files
    with_files.close()


@pytest.fixture
def uploaded(workspace):
    """Three uploads of Ada, taken in as a page takes them."""
    spool = workspace.spool_folder()
    files = [(f"{seed}.png", plate(seed)) for seed in range(2)] + [("notes.txt", b"a shopping list")]
    paths = [spool / name for name, _ in files]
    for path, (_, data) in zip(paths, files, strict=True):
        path.write_bytes(data)
    found = preflight(from_files([(path.name, path) for path in paths], spool))
    with acting(ADA):
        return drafts.take_files(workspace, found, spool)


def saved(workspace, found, key="a1", revision=0, images_changed=True):
    return drafts.save_draft(workspace, key, CHOSEN, found, revision=revision, images_changed=images_changed)


def folders(workspace):
    return [path for path in (workspace.root / "drafts").glob("*/*") if path.is_dir()]


def test_a_draft_comes_back_as_it_was_handed_in_and_is_nobody_elses(workspace, uploaded):
    with acting(ADA):
        saved(workspace, uploaded)
        [found] = drafts.list_drafts(Workspace(workspace.root))
        images = drafts.load_images(workspace, found.key)
        assert (found.choices, found.images, images.gone) == (CHOSEN, 2, [])
        assert images.found == uploaded
        assert [image.upload.data.read_bytes() for image in images.found.usable] == [plate(0), plate(1)]
    assert not any((workspace.root / "temporary").iterdir())
    with acting(BEN):
        assert drafts.list_drafts(workspace) == []
        assert drafts.find_draft(workspace, "a1") is drafts.load_images(workspace, "a1") is None
        assert drafts.find_draft(workspace, "../a1") is None


def test_two_tabs_that_change_one_draft_leave_two_and_share_the_files(workspace, uploaded):
    with acting(ADA):
        saved(workspace, uploaded)
        saved(workspace, uploaded, revision=1, images_changed=False)
        other = saved(workspace, uploaded, revision=1, images_changed=False)
        assert other.key != "a1" and {one.key for one in drafts.list_drafts(workspace)} == {"a1", other.key}
        drafts.discard_draft(workspace, "a1")
        assert drafts.load_images(workspace, other.key).gone == []
        drafts.discard_draft(workspace, other.key)
    assert folders(workspace) == []


def test_images_that_take_the_place_of_others_free_their_files_and_lost_files_are_named(workspace, uploaded):
    with acting(ADA):
        saved(workspace, uploaded)
        uploaded.usable[0].upload.data.unlink()
        stored = drafts.load_images(workspace, "a1")
        assert stored.gone == ["0.png"] and [image.name for image in stored.found.usable] == ["1.png"]
        saved(workspace, None, revision=1)
    assert folders(workspace) == []


def test_old_drafts_and_those_beyond_the_number_go(workspace, uploaded, monkeypatch):
    with acting(ADA):
        saved(workspace, uploaded)
        monkeypatch.setattr(drafts, "AT_MOST", 2)
        for number in range(3):
            saved(workspace, None, key=f"b{number}")
        assert {one.key for one in drafts.list_drafts(workspace)} == {"b1", "b2"}
        assert folders(workspace) == []
        drafts.sweep_drafts(workspace)
        assert len(drafts.list_drafts(workspace)) == 2
        monkeypatch.setattr(drafts, "KEPT", timedelta(0))
        drafts.sweep_drafts(workspace)
        assert drafts.list_drafts(workspace) == []


def test_the_check_finds_uploads_without_a_draft_and_a_backup_leaves_drafts_out(workspace, uploaded):
    with acting(ADA):
        saved(workspace, uploaded)
    assert back_up(workspace, workspace.root.parent / "all.zip").files == 0
    long_ago = time.time() - 3600
    os.utime(folders(workspace)[0], (long_ago, long_ago))
    assert check(workspace) == []
    with acting(ADA):
        path = next((workspace.root / "drafts").glob("*/a1.json"))
        path.unlink()
    [finding] = check(workspace)
    assert "uploads of a draft that is gone" in finding.trouble
    assert all(one.done for one in repair(workspace, [finding]))
    assert folders(workspace) == []


def test_a_draft_of_a_clock_that_stood_in_2000_is_neither_too_old_nor_the_oldest(workspace, monkeypatch):
    follow_clock(workspace)
    here = now()
    with acting(ADA):
        for number in range(drafts.AT_MOST):
            saved(workspace, None, f"k{number}")
        set_clock(monkeypatch, datetime(2000, 1, 1, tzinfo=UTC))
        saved(workspace, None, "fresh")
        assert "fresh" in {one.key for one in drafts.list_drafts(workspace)}
        set_clock(monkeypatch, here + timedelta(days=1))
        drafts.sweep_drafts(workspace)
        assert drafts.find_draft(workspace, "fresh").saved.year == 2000
        for day in (4, 8):  # the dashboard runs meanwhile
            set_clock(monkeypatch, here + timedelta(days=day))
            follow_clock(workspace)
        drafts.sweep_drafts(workspace)
        assert drafts.list_drafts(workspace) == []


def test_a_clock_far_ahead_sweeps_no_drafts(workspace, monkeypatch):
    follow_clock(workspace)
    with acting(ADA):
        saved(workspace, None)
        set_clock(monkeypatch, now() + timedelta(days=3000))
        drafts.sweep_drafts(workspace)
        assert drafts.find_draft(workspace, "a1") is not None
