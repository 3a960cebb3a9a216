"""Backup: everything that was made, as it was at one moment, while others write."""

import hashlib
import json
import zipfile

import pytest
from alembic.script import ScriptDirectory

from tests.workbench.parts import plate
from workbench.storage.database import WorkspaceError, migrations
from workbench.storage.tables import Base
from workbench.upkeep.backups import writing as backup_module
from workbench.upkeep.backups.portable_rows import dump_rows
from workbench.upkeep.backups.writing import back_up


def newest_schema():
    return ScriptDirectory.from_config(migrations()).get_current_head()


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_every_row_and_every_file_that_cannot_be_made_again(worked, tmp_path):
    done = back_up(worked, tmp_path / "all.zip")
    held = entries(done.path)
    with worked.database.snapshot() as connection:
        for name, table in Base.metadata.tables.items():
            lines = list(dump_rows(connection, table))
            assert held[f"tables/{name}.jsonl"].decode().splitlines() == lines
    files = {name.removeprefix("files/") for name in held if name.startswith("files/")}
    there = {worked.relative(path) for path in worked.root.rglob("*") if path.is_file()}
    left_out = {name for name in there if name.startswith(("workspace.db", "thumbnails/"))}
    assert files == there - left_out - {name for name in there if name.endswith(".tile")}
    assert all(held[f"files/{name}"] == (worked.root / name).read_bytes() for name in files)
    assert (done.files, done.lost, done.size_bytes) == (len(files), [], done.path.stat().st_size)
    assert done.rows == sum(len(data.splitlines()) for name, data in held.items() if "tables/" in name)


def test_its_contents_are_listed_with_their_hashes(worked, tmp_path):
    held = entries(back_up(worked, tmp_path / "all.zip").path)
    contents = json.loads(held.pop("backup.json"))
    assert (contents["format"], contents["schema"]) == ("patchcore-backup", newest_schema())
    assert contents["entries"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in held.items()
    }


def test_rows_stored_meanwhile_are_backed_up_wholly_or_not_at_all(worked, tmp_path, monkeypatch):
    original = backup_module.kept_files

    def while_somebody_writes(workspace, connection):
        workspace.store_image(plate(99), "late.png")
        return original(workspace, connection)

    monkeypatch.setattr(backup_module, "kept_files", while_somebody_writes)
    held = entries(back_up(worked, tmp_path / "all.zip").path)
    late = hashlib.sha256(plate(99)).hexdigest()
    assert (
        late.encode() not in held["tables/images.jsonl"] and f"files/images/{late[:2]}/{late}.png" not in held
    )


def test_a_missing_and_a_damaged_file_are_named_and_stop_nothing(worked, tmp_path):
    maps = sorted((worked.root / "results").rglob("*.png"))
    maps[0].unlink()
    image = next((worked.root / "images").rglob("*.png"))
    image.write_bytes(b"scribble")
    done = back_up(worked, tmp_path / "all.zip")
    assert sorted("missing" if "missing" in lost else "damaged" for lost in done.lost) == [
        "damaged",
        "missing",
    ]
    assert any(lost.startswith(worked.relative(maps[0])) for lost in done.lost)
    assert any(image.stem in lost for lost in done.lost)


def test_an_older_backup_is_not_overwritten_unasked(worked, tmp_path):
    target = tmp_path / "all.zip"
    target.write_bytes(b"precious")
    with pytest.raises(WorkspaceError, match="--replace"):
        back_up(worked, target)
    assert target.read_bytes() == b"precious"
    assert back_up(worked, target, replace=True).rows > 0


@pytest.mark.parametrize(("name", "message"), [("all.tar", "all.zip"), ("nowhere/all.zip", "enough room")])
def test_backup_to_unwritable_path_raises_workspace_error(workspace, tmp_path, name, message):
    with pytest.raises(WorkspaceError, match=message):
        back_up(workspace, tmp_path / name)


def test_a_backup_that_fails_leaves_the_old_one_and_nothing_else(worked, tmp_path, monkeypatch):
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "all.zip").write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "loose_files", fail)
    with pytest.raises(WorkspaceError, match="No space left"):
        back_up(worked, folder / "all.zip", replace=True)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]
