"""Rows that were altered behind the program's back: what they name outside of its folder is never touched."""

import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress

import pytest

from patchcore.errors import PatchCoreError
from tests.workbench.neighbours import beside, live_in, settle_neighbours
from workbench.__main__ import JOBS
from workbench.inspectors.versions import find_inspector, get_version, list_inspectors, load_model
from workbench.jobs.process import main
from workbench.jobs.requests import JobState, get_job, resume
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import Inspector, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.upkeep.backups.writing import back_up
from workbench.upkeep.bin import delete_for_good, delete_inspector, list_bin
from workbench.upkeep.check import check, repair
from workbench.upkeep.retention import delete_older

OUT = "../../victim"
JOB = json.dumps(
    {"inspector_id": OUT, "settings": {"name": "x"}, "images": [["a" * 64, "a"], ["b" * 64, "b"]]}
)
OLD = "UPDATE inspections SET created = '2020-01-01 00:00:00.000000'"


def everywhere(inspector_id):
    """Statements that give the inspector another id."""
    tables = ("inspector_versions", "batches", "inspections", "events", "watches")
    return [
        f"UPDATE inspectors SET id = '{inspector_id}'",
        *(f"UPDATE {table} SET inspector_id = '{inspector_id}'" for table in tables),
    ]


ALTERED = {
    "id of the folder above": everywhere(".."),
    "id that climbs out": everywhere(OUT),
    "id that is one sign": everywhere("."),
    "empty id": everywhere(""),
    "id that is a path below": everywhere("plate-1/v0001"),
    "model that climbs out": [f"UPDATE inspector_versions SET path = '{OUT}/model.patchcore'"],
    "model in the root": ["UPDATE inspector_versions SET path = 'model.patchcore'"],
    "absolute model": ["UPDATE inspector_versions SET path = '{box}/victim/v0001/model.patchcore'"],
    "model of nobody's folder": ["UPDATE inspector_versions SET path = 'inspectors/model.patchcore'"],
    "map that climbs out": [f"UPDATE results SET map_path = '{OUT}/plate.png'", OLD],
    "map that is two folders above": ["UPDATE results SET map_path = '../..'", OLD],
    "absolute map": ["UPDATE results SET map_path = '{box}/victim/plate.png'", OLD],
    "map that is the database": ["UPDATE results SET map_path = 'workspace.db'", OLD],
    "map with a null sign": ["UPDATE results SET map_path = 'results/1/' || char(0) || '.png'", OLD],
    "overlay that climbs out": [f"UPDATE inspections SET overlay_path = '{OUT}/plate.png'", OLD],
    "absolute overlay": ["UPDATE inspections SET overlay_path = '{box}/victim/plate.png'", OLD],
    "overlay that is a folder": ["UPDATE inspections SET overlay_path = 'history'", OLD],
    "hash that climbs out": [
        f"UPDATE {table} SET sha256 = '../{OUT}/plate'"
        for table in ("images", "batch_images", "inspector_images", "inspections")
    ],
    "suffix that climbs out": [f"UPDATE images SET suffix = '/../../{OUT}/plate.png'"],
    "job that builds beside": [
        f"INSERT INTO jobs (id, kind, title, arguments, state, stage, done, total, stages, message, attempts, created) "
        f"VALUES (9, 'build', 'Build', '{JOB}', 'interrupted', '', 0, 0, '[]', '', 0, '2026-01-01 00:00:00.000000')"
    ],
}


@pytest.fixture(autouse=True)
def _sqlite(monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)


@pytest.fixture
def box(tmp_path, worked_in):
    """A folder with a workspace and its neighbours."""
    target = settle_neighbours(tmp_path / "box")
    shutil.copytree(worked_in, target)
    return tmp_path / "box"


def alter(box, *statements):
    """Change rows as somebody with a tool of their own can; return the workspace."""
    with closing(sqlite3.connect(box / "place" / "new" / "workspace.db")) as connection, connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            with suppress(sqlite3.IntegrityError):  # two rows that would be the same: one will do
                connection.execute(
                    statement.replace("{box}", str(box)).replace("UPDATE ", "UPDATE OR IGNORE ", 1)
                )
    return Workspace(box / "place" / "new")


@pytest.mark.parametrize("name", ALTERED)
def test_no_neighbour_changes_whatever_is_done(box, name):
    before = beside(box, box / "place" / "new")
    workspace = alter(box, *ALTERED[name])
    live_in(workspace)
    with suppress(PatchCoreError):
        back_up(workspace, box.parent / "all.zip")
    workspace.close()
    assert beside(box, box / "place" / "new") == before
    assert (box / "place" / "new" / "workspace.db").exists() and (
        box / "place" / "new" / "inspectors"
    ).exists()


@pytest.mark.parametrize("inspector_id", ["..", OUT, ".", "plate-1/v0001"])
def test_an_inspector_whose_id_is_a_path_is_not_deleted_for_good(box, inspector_id):
    workspace = alter(
        box, *everywhere(inspector_id), "UPDATE inspectors SET deleted = '2026-01-01 00:00:00.000000'"
    )
    before = sorted(workspace.root.rglob("*.p*"))  # models and pictures
    with pytest.raises(WorkspaceError, match="is not the id of an inspector"):
        delete_for_good(workspace, list_bin(workspace))
    with pytest.raises(WorkspaceError, match="is not the id of an inspector"):
        delete_inspector(workspace, inspector_id)
    assert find_inspector(workspace, inspector_id) is None
    with workspace.database.read() as session:
        assert session.get(Inspector, inspector_id) is not None and session.query(Result).count() == 3
    assert len(before) > 10 and sorted(workspace.root.rglob("*.p*")) == before
    workspace.close()


def test_a_model_elsewhere_is_neither_read_nor_deleted_nor_packed(box):
    workspace = alter(box, f"UPDATE inspector_versions SET path = '{OUT}/model.patchcore'")
    version = get_version(workspace, 1)
    with pytest.raises(WorkspaceError, match="is not a path of a workspace"):
        load_model(workspace, version)
    (finding,) = [one for one in check(workspace) if "version 1 of Plate" in one.trouble]
    assert finding.place == "table inspector_versions" and finding.repair is None
    done = back_up(workspace, box.parent / "all.zip")
    (lost,) = done.lost
    assert lost.startswith(f"{OUT}/model.patchcore (version 1 of Plate) is missing")
    workspace.close()


def test_a_path_that_leads_elsewhere_is_forgotten_by_the_check(box):
    workspace = alter(
        box,
        f"UPDATE results SET map_path = '{OUT}/plate.png' WHERE id = 1",
        "UPDATE inspections SET overlay_path = 'images' WHERE id = 2",
    )
    found = [one for one in check(workspace) if one.place in ("table results", "table inspections")]
    assert len(found) == 2 and all("not in its own folder" in one.trouble for one in found)
    assert all(one.done for one in repair(workspace, found))
    (rows,) = workspace.root.glob("bin/*/rows.jsonl")
    assert [json.loads(line)["table"] for line in rows.read_text(encoding="utf-8").splitlines()] == [
        "results",
        "inspections",
    ]
    assert not [one for one in check(workspace) if one.place in ("table results", "table inspections")]
    workspace.close()


def test_old_inspections_go_and_what_they_name_elsewhere_stays(box):
    workspace = alter(box, f"UPDATE inspections SET overlay_path = '{OUT}/plate.png'", OLD)
    assert delete_older(workspace, 1).inspections == 3
    assert (box / "victim" / "plate.png").exists()
    workspace.close()


def test_a_job_is_asked_for_its_arguments_when_it_is_resumed_and_before_it_works(box):
    workspace = alter(box, *ALTERED["job that builds beside"])
    with pytest.raises(
        WorkspaceError, match=r"Build cannot be done: its inspector_id '../../victim' is not the id"
    ):
        resume(workspace, 9)
    assert get_job(workspace, 9).state == JobState.INTERRUPTED
    workspace.close()
    workspace = alter(box, "UPDATE jobs SET state = 'running', attempts = 1 WHERE id = 9")
    assert main([str(workspace.root), "9", "1"], JOBS) == 1
    job = get_job(workspace, 9)
    assert job.state == JobState.FAILED and "is not the id of an inspector" in job.message
    with workspace.database.read() as session:
        assert session.query(InspectorVersion).count() == 1
    workspace.close()


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own")
@pytest.mark.parametrize(
    "place",
    ["results", "history", "inspectors", "inspectors/plate-1", "images", "temporary", "jobs", "regions"],
)
def test_a_folder_that_is_a_link_is_not_followed(box, place):
    root = box / "place" / "new"
    shutil.rmtree(root / place)
    (root / place).symlink_to(box / "victim")
    before = beside(box, root)
    workspace = alter(box, OLD)
    live_in(workspace)
    with pytest.raises(ValueError):
        workspace.delete_leftovers("../../victim/*")
    workspace.close()
    assert beside(box, root) == before


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own")
def test_a_link_among_the_files_is_neither_followed_nor_packed(box):
    root = box / "place" / "new"
    (root / "regions" / f"{'a' * 64}.json").symlink_to(box / "victim" / "precious.txt")
    (root / "images" / "aa").mkdir(exist_ok=True)
    (root / "images" / "aa" / "x.png").symlink_to(box / "victim" / "plate.png")
    (root / "temporary" / "1-link").symlink_to(box / "victim")
    before = beside(box, root)
    workspace = alter(box)
    done = back_up(workspace, box.parent / "all.zip")
    assert done.lost == [] and b"precious" not in (box.parent / "all.zip").read_bytes()
    mended = list(repair(workspace, check(workspace, grace=0)))
    assert any("crosses a link" in one.outcome for one in mended)
    live_in(workspace)
    assert list_inspectors(workspace) == []
    workspace.close()
    assert beside(box, root) == before
