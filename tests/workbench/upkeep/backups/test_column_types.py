"""Values by the type of their column, in declared tables and in a database's own."""

import json
import math
from datetime import UTC, datetime

import pytest

from workbench.storage.database import Database
from workbench.storage.tables import Base, Image, Job
from workbench.upkeep.backups.column_types import why_unsound
from workbench.upkeep.backups.portable_rows import UnsoundRow, dump_row, load_rows, reflected_tables

TABLES = Base.metadata.tables
MOMENT = "2026-03-01T12:00:00+00:00"
SOUND = [
    ("jobs", "pid", 0), ("jobs", "pid", None), ("jobs", "id", 1), ("inspector_images", "position", 0),
    ("jobs", "eta_seconds", 1), ("jobs", "eta_seconds", 0.5), ("jobs", "eta_seconds", -1e300),
    ("inspector_images", "taught", True), ("jobs", "kind", "b" * 32), ("jobs", "title", "ä\n\u200d" * 9999),
    ("jobs", "created", MOMENT), ("jobs", "created", "2026-03-01T12:00:00.123456+00:00"),
    ("jobs", "arguments", {"a": [1, None, {"b": "\udcff"}]}), ("jobs", "stages", []), ("jobs", "result", None),
    ("operating_points", "data", {"evidence": {"map_peaks": {"a": -math.inf}}}),
]  # fmt: skip
UNSOUND = [
    *(("jobs", "pid", value) for value in ("1", 1.0, True, [1], {}, 2**63, -(2**64), math.nan)),
    *(("jobs", "id", value) for value in (None, 0, -1, "1", False)),
    *(("batches", "bank_id", value) for value in (0, -7, True)),
    *(("jobs", "eta_seconds", value) for value in ("1", True, math.nan, math.inf, -math.inf, 10**400, [1.0])),
    *(("inspector_images", "taught", value) for value in (0, 1, "true", None)),
    *(("jobs", "kind", value) for value in (None, 7, b"x", ["build"], "b" * 33, "a\0", "\ud800")),
    *(("jobs", "title", value) for value in (None, 7, True, "a\0b", "\udcff")),
    *(
        ("jobs", "created", value)
        for value in (None, 7, "", "now", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T00:00:00+00:00",
                      "1969-12-31T23:59:59+00:00", "3000-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00",
                      "9999-12-31T23:59:59-14:00")
    ),
    *(("jobs", "arguments", value) for value in (None, "x", 7, True, 1.5)),
    *(("jobs", "arguments", {"a": value}) for value in (math.nan, math.inf, -math.inf, [math.nan], 2**64)),
    ("operating_points", "data", {"map_peaks": {"a": math.inf}}),
    ("operating_points", "data", {"good": {"a": -math.inf}}),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "value"), SOUND, ids=lambda value: ascii(value)[:40])
def test_values_of_the_columns_type_are_sound(table, column, value):
    assert why_unsound(TABLES[table].columns[column], value) is None


@pytest.mark.parametrize(("table", "column", "value"), UNSOUND, ids=lambda value: ascii(value)[:40])
def test_values_of_another_type_are_reported(table, column, value):
    assert why_unsound(TABLES[table].columns[column], value)


def test_an_endlessly_nested_value_is_reported():
    value = []
    for _ in range(100):
        value = [value]
    assert "levels deep" in why_unsound(TABLES["jobs"].columns["stages"], value)
    assert why_unsound(TABLES["jobs"].columns["stages"], [[[[1]]]]) is None


def test_a_table_that_the_database_tells_of_has_the_same_types(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'old.db'}", "0001")
    with database.snapshot() as connection:
        found = reflected_tables(connection)
    database.close()
    tried = 0
    for rows, sound in ((SOUND, True), (UNSOUND, False)):
        for table, column, value in rows:
            if table in found and column in found[table].columns:
                assert (why_unsound(found[table].columns[column], value) is None) == sound, (column, value)
                tried += 1
    assert tried > 50


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_row_with_such_a_value_is_refused_by_table_column_and_number(workspace):
    job = Job(id=3, kind="build", title="", arguments={}, made_by="", state="done", stage="", message="")
    row = {name: getattr(job, name) for name in Job.__table__.columns.keys()}  # noqa: SIM118
    row |= {"done": 0, "total": 0, "stages": [], "attempts": 0, "created": datetime.now(UTC)}
    line = json.loads(dump_row(row))
    with workspace.database.write_directly() as connection:
        assert load_rows(connection, [(Job.__table__, [json.dumps(line | {"id": 2})])]) == {"jobs": 1}
    with (
        pytest.raises(UnsoundRow, match="in the table jobs, column done, row 3: '7' is not a whole number"),
        workspace.database.write_directly() as connection,
    ):
        load_rows(connection, [(Job.__table__, [json.dumps(line | {"done": "7"})])])


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a":' * 100_000])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_line_without_end_is_refused(workspace, line):
    with pytest.raises(ValueError), workspace.database.write_directly() as connection:
        load_rows(connection, [(Image.__table__, [line])])
