"""The workspace: once by content, whole or not there, and the same after a restart."""

import hashlib
import io
import os
from contextlib import closing

import numpy as np
import PIL.Image
import pytest
from sqlalchemy import func, select

from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Image
from workbench.storage.workspace import Workspace


def png(shape=(4, 6), value=7):
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full(shape, value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_folder_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "elsewhere"))
    assert Workspace().root == tmp_path / "elsewhere"
    monkeypatch.delenv("PATCHCORE_WORKSPACE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Workspace().root == tmp_path / ".patchcore"


def test_the_database_lies_in_a_folder_of_any_name(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    for name in ("100 % good", "what#now", "größe @3", *([] if os.name == "nt" else ["a?b=c&d"])):
        (tmp_path / name).mkdir()
        with closing(Workspace(tmp_path / name)) as place:
            assert place.database.is_sqlite and (tmp_path / name / "workspace.db").exists()
        with closing(Workspace(tmp_path / name)) as place, place.database.read() as session:
            assert list(session.scalars(select(Image))) == []
    assert not list(tmp_path.glob("*.db"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="PATCHCORE_WORKSPACE"):
        Workspace(tmp_path / "file" / "below")


def test_an_image_is_stored_although_a_scanner_holds_its_file_for_a_moment(workspace, monkeypatch):
    refusals = [PermissionError(13, "The file is being used by another process") for _ in range(3)]
    place = os.replace

    def replace_in_the_end(source, target):
        if refusals:
            refused = refusals.pop()
            refused.winerror = 32
            raise refused
        place(source, target)

    monkeypatch.setattr(os, "replace", replace_in_the_end)
    stored = workspace.store_image(png(), "one.png")
    assert workspace.image_path(stored.sha256).read_bytes() == png() and not refusals


def test_an_image_is_stored_once_by_its_bytes(workspace, tmp_path):
    data = png()
    (tmp_path / "two.PNG").write_bytes(data)
    one = workspace.store_image(data, "a/one.png", record={"width": 6}, truth="good")
    two = workspace.store_image(tmp_path / "two.PNG", "two.PNG")
    assert one.sha256 == two.sha256 == hashlib.sha256(data).hexdigest()
    assert (one.name, one.truth, two.name, two.truth) == ("a/one.png", "good", "two.PNG", None)
    assert workspace.image_path(one.sha256).read_bytes() == data
    assert len(list((workspace.root / "images").rglob("*.*"))) == 1
    with workspace.database.read() as session:
        row = session.scalars(select(Image)).one()
    assert (row.suffix, row.size_bytes, row.original_name, row.record) == (
        ".png",
        len(data),
        "a/one.png",
        {"width": 6},
    )


@pytest.mark.parametrize("name", ["../../evil/../x", "no suffix", "x.p\nng", "x." + "y" * 40])
def test_a_name_never_reaches_the_path(workspace, name):
    stored = workspace.store_image(png(), name)
    path = workspace.image_path(stored.sha256)
    assert path.parent.parent == workspace.root / "images" and path.suffix == ".image"


def test_a_lost_file_is_stored_again_under_the_suffix_its_row_has(workspace):
    stored = workspace.store_image(png(), "one.png")
    path = workspace.image_path(stored.sha256)
    path.unlink()
    workspace.store_image(png(), "one.tif")
    assert path.read_bytes() == png()


def test_an_unknown_image_raises_workspace_error(workspace):
    with pytest.raises(WorkspaceError, match="no image aaaaaaaaaaaa"):
        workspace.image_path("a" * 64)


def test_many_paths_take_few_questions(workspace):
    stored = [workspace.store_image(png(value=value), f"{value}.png") for value in range(5)]
    paths = workspace.image_paths([image.sha256 for image in stored] * 300)
    assert {paths[image.sha256].read_bytes() for image in stored} == {png(value=value) for value in range(5)}


def test_a_thumbnail_is_small_and_made_once(workspace):
    stored = workspace.store_image(png((400, 800), 100), "wide.png")
    path = workspace.thumbnail(stored.sha256)
    with PIL.Image.open(path) as picture:
        assert picture.size == (320, 160)
        assert abs(int(np.asarray(picture).mean()) - 100) <= 1
    made = path.stat().st_mtime_ns
    assert workspace.thumbnail(stored.sha256).stat().st_mtime_ns == made


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(workspace):
    target = workspace.root / "results" / "note.txt"
    with workspace.new_file(target) as path:
        path.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), workspace.new_file(target) as path:
        path.write_text("half of the n", encoding="utf-8")
        raise ZeroDivisionError
    assert target.read_text(encoding="utf-8") == "old"
    assert list((workspace.root / "temporary").iterdir()) == []


def test_a_folder_appears_whole_and_replaces_what_a_crash_left(workspace):
    target = workspace.version_folder("washer-1a2b", 1)
    assert target == workspace.root / "inspectors" / "washer-1a2b" / "v0001"
    target.mkdir(parents=True)
    (target / "stale").write_text("", encoding="utf-8")
    with workspace.draft_folder() as folder:
        (folder / "model.patchcore").mkdir()
        (folder / "model.patchcore" / "bank").write_text("rows", encoding="utf-8")
        assert (target / "stale").exists()
        workspace.place_folder(folder, target)
    assert [path.name for path in target.iterdir()] == ["model.patchcore"]
    with pytest.raises(ZeroDivisionError), workspace.draft_folder() as folder:
        (folder / "half").write_text("", encoding="utf-8")
        raise ZeroDivisionError
    assert (target / "model.patchcore" / "bank").read_text(encoding="utf-8") == "rows"
    assert list((workspace.root / "temporary").iterdir()) == []


def test_bytes_reach_the_disk_before_the_name(workspace, monkeypatch):
    order = []
    flush, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("flush"), flush(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *paths: (order.append("rename"), replace(*paths)))
    with workspace.new_file(workspace.root / "results" / "x") as path:
        path.write_text("x", encoding="utf-8")
    assert order == ["flush", "rename", "flush"]


def test_two_workspaces_on_one_folder_see_the_same(workspace):
    stored = workspace.store_image(png(), "one.png")
    other = Workspace(workspace.root)
    assert other.image_path(stored.sha256) == workspace.image_path(stored.sha256)
    with other.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 1
    other.database.close()
