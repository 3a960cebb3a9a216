"""Migrations: a workspace of each earlier schema is kept, and reaches the newest one without loss.

``fixtures/workspace_v<revision>.sql`` is what ``.dump`` of the program sqlite3, or `sqlite3.Connection.iterdump`, says
of the ``workspace.db`` of a small workspace that was worked in: an inspector with two versions and the history of its
thresholds, a batch with its results, labels, inspections and a decision, jobs, and a watched folder. Its files are not
kept, only its rows.

To change the schema:

1. Change `workbench.storage.tables`, and write the migration (``migrations/versions/v0001_first_schema.py`` says how).
   `test_database.py` holds the two together.
2. Do the same work with the new program and keep the dump as ``fixtures/workspace_v<revision>.sql``. It has what the
   workspaces here have, and rows in what is new. No file that is here already is ever changed, nor any migration: they
   are what people have.
3. Where rows of an older schema get new values, say in a test here which.
"""

import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.postgresql import NEEDS_POSTGRESQL
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.decisions import decided
from workbench.inspections.history_query import Filter, read_page
from workbench.inspections.labelled_sets import Reading
from workbench.inspections.labels import label_counts
from workbench.inspections.picture_doubts import doubts_of
from workbench.inspectors.library import shelf
from workbench.inspectors.point_history import point_history
from workbench.inspectors.timeline import timeline
from workbench.inspectors.versions import good_images, list_inspectors, list_versions
from workbench.jobs.requests import list_jobs
from workbench.storage.database import Database, migrations, schemas
from workbench.storage.workspace import Workspace
from workbench.tuning.label_sampling import Sampling
from workbench.upkeep.backups.portable_rows import dump_rows, load_rows, reflected_tables
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import CONTENTS, FORMAT, TABLES, VERSION
from workbench.upkeep.check import check
from workbench.upkeep.kept_files import kept_files
from workbench.watching.standing import list_watches

KEPT = {
    path.stem.removeprefix("workspace_v"): path
    for path in Path(__file__).with_name("fixtures").glob("workspace_v*.sql")
}
TURNED = "The picture was turned upright, as its orientation tag says."
DARKER = "It is darker than any good image: brightness 0.02, good images 0.4 to 0.6."
SCRIPTS = ScriptDirectory.from_config(migrations())
# From the first schema on, every migration runs on PostgreSQL too; a newer one adds none there.
OLD_AND_GOAL = pytest.mark.parametrize(
    ("old", "goal"),
    [(revision, "sqlite") for revision in sorted(KEPT)]
    + [pytest.param(revision, "postgresql", marks=NEEDS_POSTGRESQL) for revision in (min(KEPT), max(KEPT))],
    indirect=True,
)


@pytest.fixture(params=sorted(KEPT))
def old(request, tmp_path):
    """A database of one of the schemas, as a program of that schema left it."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(KEPT[request.param].read_text(encoding="utf-8"))
    database = Database(f"sqlite:///{path}", request.param)
    yield database
    database.close()


@pytest.fixture
def goal(request, tmp_path, monkeypatch):
    """Where a workspace shall have its rows."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    if request.param == "sqlite":
        (tmp_path / "here").mkdir()
        yield f"sqlite:///{tmp_path / 'here' / 'workspace.db'}"
        return
    server = request.getfixturevalue("postgresql").server
    name = server.make_database()
    monkeypatch.setenv("PATCHCORE_DATABASE_URL", server.url(name))
    yield server.url(name)
    server.drop_database(name)


def test_the_schemas_are_those_of_the_migrations():
    assert schemas() == [script.revision for script in SCRIPTS.walk_revisions()][::-1]


def revision_of(database):
    with database.read() as session:
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def everything_is_read(workspace):
    """What is in each of the workspaces that are kept, by the functions that the pages list it with."""
    assert revision_of(workspace.database) == SCRIPTS.get_current_head()
    (inspector,) = list_inspectors(workspace)
    assert (inspector.id, inspector.name, inspector.revision) == ("plate-1", "Plate", 3)
    assert [version.number for version in list_versions(workspace, "plate-1")] == [2, 1]
    first = list_versions(workspace, "plate-1")[1]
    assert [image.name for image in good_images(workspace, first)] == [f"good/{n:03d}.png" for n in range(3)]
    assert [entry.number for entry in timeline(workspace, "plate-1")] == ["2.1", "1.2", "1.1"]
    assert [one.inspector.id for one in shelf(workspace)] == ["plate-1"]

    points = point_history(workspace, "plate-1")
    assert [(one.number, one.made_by, one.note) for one in points[1:]] == [
        (1, "Ada", "stricter for Monday"),
        (1, "Ada", "Set when the inspector was built."),
    ]
    assert (points[1].point.accept, points[1].point.reject) == (20.0, 30.0)
    assert OperatingPoint.from_dict(first.operating_point) == points[1].point

    batches = {batch.name: batch.id for batch in list_batches(workspace, "plate-1")}
    assert {"Monday", "Watched"} <= batches.keys()
    # Monday's images came with a mask, so before 0008 too they are no production.
    purposes = {batch.name: batch.purpose for batch in list_batches(workspace, "plate-1")}
    assert purposes["Monday"] == "evaluation" and purposes["Watched"] == "production"
    assert {row.purpose for row in read_page(workspace, Filter()).rows} == {"evaluation"}
    results = list_results(workspace, batches["Monday"], first.id)
    assert [(one.image.name, one.image.truth) for one in results] == [
        ("scratch/020.png", "scratch"),
        ("good/009.png", "good"),
    ]
    assert [one.image.mask_sha256 is not None for one in results] == [True, False]
    assert [one.remarks for one in results] in ([None, None], [[TURNED], []])  # from before and since 0002
    doubted = [[one.sentence for one in doubts_of(result)] for result in results]
    assert doubted in ([[], []], [[DARKER], []])  # from before and since 0004
    assert results[0].score > points[1].point.reject > results[1].score
    counts = label_counts(workspace, batches["Monday"])
    assert (counts.good, counts.defects, counts.unlabelled) == (1, {"scratch": 1}, 0)
    known = decided(workspace, first.id, results)
    assert [(one.decision, one.by) for one in known.values()] == [("fine", "Ada")]
    rows = read_page(workspace, Filter()).rows
    assert [(row.doubts, row.picture_check) for row in rows] in (
        [(None, None)] * 2,
        [([], True), ([doubt.to_dict() for doubt in doubts_of(results[0])], True)],
    )
    boxes = {result.image.name: result.worst_box for result in results}
    assert all(row.worst_box == boxes[row.name] is not None for row in rows)  # of old rows, since 0006
    assert [(row.name, row.verdict) for row in rows] == [
        ("good/009.png", "accept"),
        ("scratch/020.png", "reject"),
    ]

    assert [(job.kind, job.made_by) for job in list_jobs(workspace)] == [("watch", "Ada"), ("build", "Ada")]
    with workspace.database.snapshot() as connection:
        files = {file.path for file in kept_files(workspace, connection)}
    found = check(workspace)
    assert {one.place for one in found} == files and len(files) == 11
    assert all(one.trouble.endswith("is missing") for one in found), found


@pytest.mark.parametrize(
    ("revision", "labels", "problems"), [("0002", "", 0), ("0003", "Taken as good: good (1).", 1)]
)
def test_what_was_found_in_reading_a_labelled_set_is_kept_since_there_is_a_column_for_it(
    tmp_path, revision, labels, problems
):
    path = tmp_path / "workspace.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(KEPT[revision].read_text(encoding="utf-8"))
    workspace = Workspace(tmp_path)
    readings = {batch.name: Reading.of(batch) for batch in list_batches(workspace, "plate-1")}
    assert readings["Watched"] == Reading()
    assert readings["Monday"].labels.startswith(labels) and len(readings["Monday"].problems) == problems
    workspace.close()


def test_a_random_draw_of_images_to_label_is_kept_since_there_are_columns_for_it(tmp_path):
    path = tmp_path / "workspace.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(KEPT["0007"].read_text(encoding="utf-8"))
    workspace = Workspace(tmp_path)
    drawn = {batch.name: Sampling.of(batch) for batch in list_batches(workspace, "plate-1")}
    assert drawn["Watched"] is None
    assert (drawn["Monday"].drawn_by, drawn["Monday"].sizes["reject"]) == ("Ada", 1)
    workspace.close()


def test_a_workspace_of_each_schema_is_kept():
    assert KEPT.keys() == {script.revision for script in SCRIPTS.walk_revisions()}


def test_its_database_is_what_the_migrations_make(old, tmp_path):
    revision = revision_of(old)
    made = Database(f"sqlite:///{tmp_path / 'made.db'}", revision)
    statements = text("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    with old.read() as ours, made.read() as theirs:
        assert ours.execute(statements).all() == theirs.execute(statements).all()
    made.close()


@OLD_AND_GOAL
def test_an_old_workspace_is_migrated_with_all_its_rows(old, goal, tmp_path):
    database = Database(goal, revision_of(old))
    with old.snapshot() as reading, database.write_directly() as writing:
        ours = reflected_tables(reading)
        load_rows(
            writing,
            ((one, dump_rows(reading, ours[name])) for name, one in reflected_tables(writing).items()),
        )
    database.close()
    workspace = Workspace(tmp_path / "here")
    everything_is_read(workspace)
    (watch,) = list_watches(workspace)
    assert (watch.folder, watch.inspector_id, watch.last.file) == ("/parts/in", "plate-1", "a.png")
    workspace.close()


@OLD_AND_GOAL
def test_a_backup_of_it_is_restored_into_the_newest_schema(old, goal, tmp_path):
    restore(as_backup(old, tmp_path / "old.zip"), tmp_path / "new")
    workspace = Workspace(tmp_path / "new")
    everything_is_read(workspace)
    assert list_watches(workspace) == []  # nothing is watched from where a backup came to
    workspace.close()


def as_backup(database, path):
    """Write what a program of the database's schema would have written, its files being lost already."""
    with database.snapshot() as connection:
        entries = {
            f"{TABLES}{name}.jsonl": "".join(f"{line}\n" for line in dump_rows(connection, table)).encode()
            for name, table in reflected_tables(connection).items()
        }
    contents = {
        "format": FORMAT,
        "version": VERSION,
        "schema": revision_of(database),
        "tables": [name.removeprefix(TABLES).removesuffix(".jsonl") for name in entries],
        "entries": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in entries.items()
        },
        "lost": [],
    }
    with closing(sqlite3.connect(database.url.database)) as rows:
        queries = (
            "SELECT 'images/' || substr(sha256, 1, 2) || '/' || sha256 || suffix FROM images",
            "SELECT path FROM inspector_versions",
            "SELECT map_path FROM results",
            "SELECT overlay_path FROM inspections",
        )
        contents["lost"] = [f"{place} is missing." for query in queries for (place,) in rows.execute(query)]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr(CONTENTS, json.dumps(contents))
    return path
