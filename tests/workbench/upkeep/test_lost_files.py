"""Rows without files: replaceable files are made again, others are reported with a remedy."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.parts import plate
from workbench.inspections.batches import good_batch, list_results, load_map, score_batch
from workbench.inspections.history import find_inspection
from workbench.inspectors.point_history import store_point
from workbench.inspectors.versions import find_inspector, get_version, reslice
from workbench.storage.tables import Base, Batch, BatchImage, Inspector, Result
from workbench.upkeep.check import check, repair
from workbench.upkeep.finding import CannotRepair
from workbench.upkeep.kept_files import KeptFile
from workbench.upkeep.lost_files import damage
from workbench.upkeep.quarantine import Bin


def first_result(workspace):
    return list_results(workspace, 1, 1)[0]


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


def test_a_lost_map_is_computed_again(worked):
    result = first_result(worked)
    before = load_map(worked, result)
    (worked.root / result.map_path).unlink()
    (finding,) = check(worked)
    assert finding.trouble == "the anomaly map of scratch/020.png is missing"
    finding.repair(Bin(worked))
    assert np.array_equal(load_map(worked, result), before) and check(worked, grace=0) == []


def test_a_lost_overlay_is_painted_again_as_it_was(worked):
    path = next((worked.root / "history").rglob("*.jpg"))
    before = path.read_bytes()
    path.write_bytes(before[:100])
    (finding,) = check(worked)
    assert finding.trouble.startswith("the kept overlay of ") and "is damaged" in finding.trouble
    store_point(worked, get_version(worked, 1), replace(point_of(worked), reject=1e6, accept=1e6), "")
    finding.repair(Bin(worked))
    assert path.read_bytes() == before and check(worked, grace=0) == []


def test_a_lost_overlay_whose_map_is_gone_is_said_and_its_row_keeps_its_facts(worked):
    with worked.database.read() as session:
        row = find_inspection(session, first_result(worked).batch_image_id, 1)
    (worked.root / row.overlay_path).unlink()
    with worked.database.write() as session:
        session.delete(session.get_one(Result, first_result(worked).id))
    (finding,) = [one for one in check(worked) if one.place == row.overlay_path]
    with pytest.raises(CannotRepair, match=r"map of scratch/020.png is not kept any more. The row keeps"):
        finding.repair(Bin(worked))


def point_of(workspace):
    return OperatingPoint.from_dict(get_version(workspace, 1).operating_point)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: flip(path, 1000)])
def test_a_damaged_map_is_computed_again(worked, damage):
    result = first_result(worked)
    before = (worked.root / result.map_path).read_bytes()
    damage(worked.root / result.map_path)
    (finding,) = check(worked)
    assert "is damaged" in finding.trouble
    finding.repair(Bin(worked))
    assert (worked.root / result.map_path).read_bytes() == before


def test_the_map_of_a_good_image_is_computed_again_without_its_own_rows(worked):
    version = get_version(worked, 1)
    batch = good_batch(worked, version)
    (*_, result) = score_batch(worked, batch, version)
    before = load_map(worked, result)
    (worked.root / result.map_path).unlink()
    (finding,) = check(worked)
    finding.repair(Bin(worked))
    assert np.array_equal(load_map(worked, result), before) and before.max() > 0


def test_a_map_that_would_not_be_that_of_the_score_is_not_written(worked):
    result = first_result(worked)
    (worked.root / result.map_path).unlink()
    with worked.database.write() as session:
        session.get_one(Result, result.id).score = result.score * 1.1
    (finding,) = check(worked)
    with pytest.raises(CannotRepair, match="Inspect the image once more"):
        finding.repair(Bin(worked))
    assert not (worked.root / result.map_path).exists()


def test_a_damaged_image_goes_to_the_bin_and_comes_back_with_the_same_file(worked):
    image = first_result(worked).image
    path = worked.image_path(image.sha256)
    whole = path.read_bytes()
    flip(path, -20)
    damaged = path.read_bytes()
    (finding,) = check(worked)
    assert "does not have the hash in its name" in finding.trouble
    finding.repair(Bin(worked))
    (binned,) = worked.root.glob(f"bin/*/{worked.relative(path)}")
    assert binned.read_bytes() == damaged and not path.exists()
    (missing,) = check(worked)
    assert missing.repair is None and "bring the same file in once more" in missing.remedy
    worked.store_image(whole, "again.png")
    assert check(worked, grace=0) == []


def test_a_fault_mended_meanwhile_is_left_alone(worked):
    path = worked.image_path(first_result(worked).image.sha256)
    whole = path.read_bytes()
    flip(path, -20)
    (finding,) = check(worked)
    path.write_bytes(whole)
    finding.repair(Bin(worked))
    assert path.read_bytes() == whole


@pytest.mark.parametrize("place", [3, 200, -10])
def test_a_damaged_model_is_noticed_wherever_it_is(worked, place):
    path = worked.root / get_version(worked, 1).path
    flip(path, place)
    (finding,) = check(worked)
    assert finding.trouble.startswith("version 1 of Plate is damaged")
    assert "build the inspector again" in finding.remedy
    finding.repair(Bin(worked))
    assert not path.exists()
    (missing,) = check(worked)
    assert missing.repair is None


def test_a_damaged_region_goes_to_the_bin(worked):
    (path,) = (worked.root / "regions").iterdir()
    path.write_text("{}", encoding="utf-8")
    (finding,) = check(worked)
    finding.repair(Bin(worked))
    assert not path.exists() and check(worked) == []


def by_hand(workspace, *statements):
    """Do what only somebody with a tool of their own can do: break references."""
    import sqlite3

    with sqlite3.connect(workspace.database.url.database) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def by_hand_only(worked):
    if not worked.database.is_sqlite:
        pytest.skip("PostgreSQL lets nobody break a reference")
    return worked


def rows(workspace):
    with workspace.database.read() as session:
        return {name: session.scalar(text(f"SELECT count(*) FROM {name}")) for name in Base.metadata.tables}


def test_rows_that_point_to_none_go_to_the_bin_with_those_that_point_to_them(by_hand_only):
    workspace = by_hand_only
    before = rows(workspace)
    by_hand(workspace, "DELETE FROM batches")
    findings = check(workspace)
    assert [finding.place for finding in findings] == ["table batch_images"]
    assert findings[0].trouble == "3 row(s) whose batch_id is not there"
    assert all(one.done for one in repair(workspace, findings))
    after = rows(workspace)
    assert {name for name in before if before[name] != after[name]} == {"batches", "batch_images", "results"}
    (binned,) = workspace.root.glob("bin/*/rows.jsonl")
    assert len(binned.read_text(encoding="utf-8").splitlines()) == 6
    assert [finding.trouble[:14] for finding in check(workspace, grace=0)] == ["an anomaly map"] * 6
    list(repair(workspace, check(workspace, grace=0)))
    assert check(workspace, grace=0) == []


def test_a_reference_that_may_be_empty_is_cleared(by_hand_only):
    workspace = by_hand_only
    by_hand(workspace, "UPDATE batch_images SET mask_sha256 = 'gone' WHERE id = 1")
    list(repair(workspace, check(workspace)))
    with workspace.database.read() as session:
        assert session.get_one(BatchImage, 1).mask_sha256 is None and session.get_one(Batch, 1)
    assert check(workspace) == []


def test_an_inspector_without_its_current_version_gets_the_newest(by_hand_only):
    workspace = by_hand_only
    second = reslice(workspace, get_version(workspace, 1), 0.25)
    by_hand(workspace, f"DELETE FROM operating_points WHERE version_id = {second.id}",
            f"DELETE FROM inspector_versions WHERE id = {second.id}")  # fmt: skip
    (finding,) = check(workspace)
    assert finding.place == "table inspectors"
    list(repair(workspace, [finding]))
    assert find_inspector(workspace, "plate-1").current_id == 1


def test_a_lost_inspector_takes_its_rows_along_and_no_image(by_hand_only):
    workspace = by_hand_only
    by_hand(workspace, "DELETE FROM inspectors")
    list(repair(workspace, check(workspace)))
    left = {name: count for name, count in rows(workspace).items() if count}
    assert left.pop("events") > 0  # who did what
    assert left == {"images": 9, "jobs": 1, "inspections": 3}  # what was judged outlives the inspector
    assert workspace.image_path(workspace.store_image(plate(0), "x.png").sha256).exists()
    list(repair(workspace, check(workspace, grace=0)))
    assert len(list(workspace.root.glob("bin/*/inspectors/plate-1/v0001/model.patchcore"))) == 1
    with workspace.database.read() as session:
        assert session.get(Inspector, "plate-1") is None


@pytest.mark.parametrize("kind", ["image", "map", "overlay"])
def test_a_disk_that_does_not_answer_makes_no_file_a_damaged_one(kind):
    file = KeptFile(kind, "images/aa/a.png", "an image", 1)
    with pytest.raises(OSError, match="rror") as caught:
        damage(file, Path("/proc/self/mem"))  # the system answers a read of its first bytes with EIO
    assert caught.value.errno == errno.EIO
