"""Rows as lines: the same from SQLite and from PostgreSQL, and back into either."""

import json
import math
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from workbench.storage.database import Database
from workbench.storage.tables import Base, Image, Inspector, InspectorVersion, Job
from workbench.upkeep.backups.portable_rows import (
    copy_rows,
    dump_rows,
    late_columns,
    load_rows,
    tables_in_order,
)

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
IMAGES, INSPECTORS, VERSIONS, JOBS = (table.__table__ for table in (Image, Inspector, InspectorVersion, Job))


def version(number, base_id=None):
    return InspectorVersion(
        inspector_id="p",
        number=number,
        base_id=base_id,
        path=f"inspectors/p/v{number:04d}/model.patchcore",
        settings={"name": "Plättchen", "roi": None},
        share=0.1,
        largest_share=0.1,
        patches=7,
        cover_radius=math.pi,
        megabytes=1e-300,
        operating_point={},
        good_scores={"a": 0.1},
        numbers={},
        created=MOMENT,
    )


def fill(database):
    """An image without record, an inspector whose current version rests on another, and a job."""
    with database.write() as session:
        session.add(Image(sha256="a" * 64, suffix=".png", original_name='ä "1"\n.png', size_bytes=3))
        session.add(Inspector(id="p", name="Plättchen", created=MOMENT))
        session.flush()
        first = version(1)
        session.add(first)
        session.flush()
        second = version(2, first.id)
        session.add(second)
        session.flush()
        session.get_one(Inspector, "p").current_id = second.id
        session.add(Job(kind="build", title="", arguments={"x": [1, None]}, state="done", created=MOMENT))


def lines(database):
    with database.snapshot() as connection:
        return {table.name: list(dump_rows(connection, table)) for table in tables_in_order()}


@pytest.fixture
def origin(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'origin.db'}")
    fill(database)
    yield database
    database.close()


def test_a_line_is_plain_json(origin):
    (job,) = lines(origin)["jobs"]
    assert json.loads(job)["created"] == "2026-03-01T12:00:00.250000+00:00"
    assert json.loads(job)["arguments"] == {"x": [1, None]} and json.loads(job)["result"] is None


def test_a_name_whose_bytes_are_no_text_is_kept(origin, workspace):
    with origin.write() as session:
        session.get_one(Job, 1).arguments = {"file": "\udcff.png"}
    (job,) = lines(origin)["jobs"]
    assert job.isascii() and json.loads(job.encode().decode())["arguments"] == {"file": "\udcff.png"}
    copy_rows(origin.url, workspace.database)
    assert lines(workspace.database)["jobs"] == [job]


def test_rows_are_the_same_after_a_copy_and_a_copy_back(origin, workspace, tmp_path):
    written = lines(origin)
    counts = copy_rows(origin.url, workspace.database)
    assert counts == {name: len(rows) for name, rows in written.items()}
    assert (counts["images"], counts["inspector_versions"], counts["jobs"]) == (1, 2, 1)
    assert lines(workspace.database) == written
    back = Database(f"sqlite:///{tmp_path / 'back.db'}")
    copy_rows(workspace.database.url, back)
    assert lines(back) == written
    back.close()


def test_the_next_row_gets_the_next_number(origin, workspace):
    copy_rows(origin.url, workspace.database)
    with workspace.database.write() as session:
        third = version(3)
        job = Job(kind="build", title="", arguments={}, state="queued")
        session.add_all([third, job])
        session.flush()
        assert (third.id, job.id) == (3, 2)


def test_unknown_json_stays_null(origin, workspace):
    copy_rows(origin.url, workspace.database)
    with workspace.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM images WHERE record IS NULL")) == 1


def test_tables_come_after_those_they_point_to_but_for_the_late_columns():
    present = []
    for table in tables_in_order():
        keys = {key.parent.name for key in table.foreign_keys if key.column.table.name not in present}
        assert keys == set(late_columns(table, present))
        present.append(table.name)
    assert set(present) == set(Base.metadata.tables)
    assert late_columns(INSPECTORS, []) == ["current_id"]
    assert late_columns(VERSIONS, ["images", "inspectors"]) == ["base_id"]


def test_more_rows_than_go_into_one_statement(workspace):
    with workspace.database.write_directly() as connection:
        for number in range(1203):
            image = {"sha256": f"{number:064x}", "suffix": ".png", "original_name": "x", "size_bytes": number}
            connection.execute(IMAGES.insert().values(created=MOMENT, **image))
    rows = lines(workspace.database)["images"]
    with workspace.database.write_directly() as connection:
        connection.execute(IMAGES.delete())
        assert load_rows(connection, [(IMAGES, rows)]) == {"images": 1203}
    with workspace.database.read() as session:
        assert session.scalars(select(Image.size_bytes).order_by(Image.sha256)).all() == list(range(1203))


@pytest.mark.parametrize("line", ["[1]", '{"sha256": "a"}', "not json", '{"sha256": "a", "evil": 1}'])
def test_a_line_that_is_no_row_is_refused(workspace, line):
    with pytest.raises(ValueError), workspace.database.write_directly() as connection:
        load_rows(connection, [(IMAGES, [line])])


def test_rows_that_point_to_none_are_refused(origin, workspace):
    rows = lines(origin)["inspector_versions"]
    with pytest.raises(IntegrityError), workspace.database.write_directly() as connection:
        load_rows(connection, [(VERSIONS, rows)])
