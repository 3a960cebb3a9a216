"""Backups from elsewhere: cut off, altered, foreign or hostile ones are refused with the reason, and write nothing."""

import hashlib
import json
import struct
import zipfile

import pytest

from tests.hostile import archives
from workbench.storage.database import WorkspaceError
from workbench.upkeep.backups.archive import BackupArchive
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import back_up


@pytest.fixture(scope="module")
def whole(tmp_path_factory, built):
    """A backup of the small inspector."""
    from workbench.storage.workspace import Workspace

    workspace = Workspace(built)
    path = tmp_path_factory.mktemp("whole") / "whole.zip"
    back_up(workspace, path)
    workspace.database.close()
    return path


def rewritten(whole, tmp_path, change, *, listed=True):
    """Copy a backup with its entries changed; their hashes are brought up to date, if `listed`."""
    with zipfile.ZipFile(whole) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    contents = json.loads(entries.pop("backup.json"))
    change(entries, contents)
    if listed:
        contents["entries"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in entries.items()
        }
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr("backup.json", json.dumps(contents))
    return path


def refused(path, tmp_path, match):
    target = tmp_path / "restored"
    with pytest.raises(WorkspaceError, match=match):
        restore(path, target)
    assert not target.exists()


def a_file(entries):
    return next(name for name in entries if name.startswith("files/images"))


def test_a_whole_one_is_accepted(whole, tmp_path):
    path = rewritten(whole, tmp_path, lambda entries, contents: None)
    assert restore(path, tmp_path / "restored").files == restore(whole, tmp_path / "again").files == 7


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_one(whole, tmp_path, share):
    data = whole.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: int(share * len(data))])
    refused(tmp_path / "cut.zip", tmp_path, "cut off")


def test_an_absent_one(tmp_path):
    refused(tmp_path / "nowhere.zip", tmp_path, "does not exist")


def test_another_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as archive:
        archive.writestr("beach.png", b"")
    refused(tmp_path / "holiday.zip", tmp_path, "not written by this program")


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_flipped_byte_in_any_entry(whole, tmp_path, place):
    with zipfile.ZipFile(whole) as archive:
        entries = [entry for entry in archive.infolist() if entry.file_size]
    assert len(entries) > 7
    for number, entry in enumerate(entries):
        data = bytearray(whole.read_bytes())
        local = struct.unpack_from(
            "<HH", data, entry.header_offset + 26
        )  # bytes of name and of what follows it
        data[entry.header_offset + 30 + sum(local) + int(place * entry.compress_size)] ^= 0xFF
        (tmp_path / f"{number}.zip").write_bytes(data)
        refused(tmp_path / f"{number}.zip", tmp_path, "cannot be restored")


def test_a_flipped_byte_that_says_nothing(whole, tmp_path):
    """The time of day in a local header is read by nobody: what is restored is what was backed up."""
    data = bytearray(whole.read_bytes())
    data[10] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(data)
    assert restore(tmp_path / "flipped.zip", tmp_path / "restored").files == 7


def test_an_entry_that_is_not_the_one_listed(whole, tmp_path):
    def swap(entries, _contents):
        entries[a_file(entries)] = b"another picture"

    refused(rewritten(whole, tmp_path, swap, listed=False), tmp_path, "length and hash")


def test_an_entry_that_is_not_listed_and_one_that_is_missing(whole, tmp_path):
    refused(
        rewritten(whole, tmp_path, lambda e, _: e.update({"files/images/aa/x.png": b""}), listed=False),
        tmp_path,
        "differ from its list",
    )
    refused(
        rewritten(whole, tmp_path, lambda e, _: e.pop(a_file(e)), listed=False),
        tmp_path,
        "differ from its list",
    )


@pytest.mark.parametrize(
    "name",
    [
        "files/../evil.png",
        "files/images/../../evil.png",
        "/etc/evil.png",
        "files//images/x",
        "files/images/C:evil.png",
        "files/images\\..\\evil.png",
        "files/images/NUL.png",
        "files/images/.hidden",
        "files/workspace.db",
        "files/bin/x.png",
        "files/images",
        "evil.png",
        "tables/evil.jsonl",
        "files/images/aa/x.png",
        "files/images/ab/" + "a" * 64 + ".png",
        "files/images/aa/" + "a" * 64 + ".png/x.png",
        "files/inspectors/../v0001/model.patchcore",
        "files/inspectors/A/v0001/model.patchcore",
        "files/inspectors/p/v1/model.patchcore",
        "files/inspectors/p/v0001/other",
        "files/results/x/" + "a" * 64 + ".png",
        "files/results/1/" + "a" * 64 + ".tile",
        "files/history/2026-01/..jpg",
        "files/history/evil.jpg",
        "files/jobs/1/scratch/key",
        "files/temporary/1-x",
        "files/watches/x.lock",
        "files/images/aa/x.png ",
        "files/images/aa/x.png.",
    ],
)
def test_a_name_that_leads_elsewhere(whole, tmp_path, name):
    path = rewritten(whole, tmp_path, lambda entries, _: entries.update({name: b"x"}))
    refused(path, tmp_path, "a name this program never gives|differ from its list")
    assert not list(tmp_path.rglob("evil*"))


def test_a_file_that_unpacks_to_more_than_it_says(whole, tmp_path):
    def swell(entries, contents):
        entries[a_file(entries)] = bytes(10_000_000)

    refused(rewritten(whole, tmp_path, swell, listed=False), tmp_path, "length and hash")


def test_more_than_fits_on_the_disk(whole, tmp_path):
    def claim(_entries, contents):
        next(iter(contents["entries"].values()))["bytes"] = 10**18

    refused(rewritten(whole, tmp_path, claim, listed=False), tmp_path, "GB free")


@pytest.mark.parametrize("key", ["format", "tables", "entries", "lost"])
@pytest.mark.parametrize("value", [None, 7, [7], {"a": 1}, "x"])
def test_contents_of_the_wrong_kind(whole, tmp_path, key, value):
    path = rewritten(whole, tmp_path, lambda _, contents: contents.update({key: value}), listed=False)
    with pytest.raises(WorkspaceError, match="cannot be restored"):
        BackupArchive(path)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"version": 1.0},
        {"version": [1]},
        {"schema": "9999"},
        {"schema": ["0003"]},
    ],
)
def test_a_newer_one(whole, tmp_path, change):
    path = rewritten(whole, tmp_path, lambda _, contents: contents.update(change))
    refused(path, tmp_path, "newer version of the program")


def test_rows_that_contradict_each_other(whole, tmp_path):
    def orphan(entries, _contents):
        entries["tables/inspectors.jsonl"] = b""

    refused(rewritten(whole, tmp_path, orphan), tmp_path, "rows contradict each other")


@pytest.mark.parametrize("path", ["../../../etc/passwd", "inspectors/plate-1/v0002/model.patchcore"])
def test_a_row_that_leads_elsewhere(whole, tmp_path, path):
    def lead(entries, _contents):
        rows = entries["tables/inspector_versions.jsonl"].decode()
        entries["tables/inspector_versions.jsonl"] = rows.replace(
            "inspectors/plate-1/v0001/model.patchcore", path
        ).encode()

    refused(rewritten(whole, tmp_path, lead), tmp_path, "does not hold version 1 of Plate")


@pytest.mark.parametrize("name", archives.REFUSED)
def test_a_zip_bomb(name, tmp_path):
    (tmp_path / "bomb.zip").write_bytes(archives.REFUSED[name]())
    refused(tmp_path / "bomb.zip", tmp_path, r"overlap|zip bomb")


def test_a_list_of_millions_of_parts(tmp_path):
    with zipfile.ZipFile(tmp_path / "deep.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backup.json", "[" + "[]," * 1_000_100 + "[]]")
    refused(tmp_path / "deep.zip", tmp_path, "is nested as this program never does it")
