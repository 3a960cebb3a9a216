"""Rows as lines of JSON, the same from any database: written from one database, read into another."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, MetaData, Table, bindparam, func, select, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.schema import sort_tables
from sqlalchemy.types import TypeEngine

from workbench.storage.database import VERSION_TABLE, Database
from workbench.storage.tables import Base
from workbench.storage.timestamps import UtcTime
from workbench.upkeep.backups.column_types import plain_type, why_unsound

AT_ONCE = 500  # rows in one statement


class UnsoundRow(ValueError):
    """This program cannot have written a value of a row; the message names the place and the fault."""

    def __init__(self, table: str, column: str, row: Mapping[str, Any], reason: str) -> None:
        row_id = row.get("id", row.get("sha256", row.get("name", "")))
        which = f", row {row_id!a:.80}" if row_id != "" else ""
        super().__init__(f"in the table {table}, column {column}{which}: {reason}")


def tables_in_order() -> list[Table]:
    """Return the tables, each after the tables that its rows point to (except references in `late_columns`)."""
    return list(Base.metadata.sorted_tables)


def dump_rows(connection: Connection, table: Table) -> Iterator[str]:
    """Yield the rows of a table in the order of their keys, one line each."""
    query = select(table).order_by(*table.primary_key.columns)
    with connection.execution_options(yield_per=AT_ONCE).execute(query) as rows:
        for row in rows.mappings():
            yield dump_row(row)


def dump_row(row: Mapping[Any, Any]) -> str:
    """Return one row as a line, without the line's end."""
    plain = {str(name): _plain(value) for name, value in row.items()}
    line = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode()
    except UnicodeEncodeError:  # the name of a file whose bytes are no text
        return json.dumps(plain, separators=(",", ":"))
    return line


def load_rows(connection: Connection, lines: Iterable[tuple[Table, Iterable[str]]]) -> dict[str, int]:
    """Insert rows into empty tables and return the number per table.

    Parameters
    ----------
    connection
        In a transaction; the rows may come from a database of another kind.
    lines
        Each table, after the tables that its rows point to, with its rows as `dump_rows` yields them.

    Raises
    ------
    ValueError, KeyError, TypeError
        When a line is not a row of its table; `UnsoundRow` where a value is not of its column's type.
    sqlalchemy.exc.DatabaseError
        When rows contradict each other, for instance by pointing to a missing row.
    """
    counts: dict[str, int] = {}
    later: list[tuple[Table, list[str], list[dict[str, Any]]]] = []
    for table, rows in lines:
        late = late_columns(table, counts)
        postponed: list[dict[str, Any]] = []
        counts[table.name] = 0
        for some in _batches(_values(table, line) for line in rows):
            postponed += [row for row in some if any(row[name] is not None for name in late)]
            connection.execute(table.insert(), [_storable(table, row, late) for row in some])
            counts[table.name] += len(some)
        later.append((table, late, postponed))
    for table, late, postponed in later:
        _point(connection, table, late, postponed)
        _continue_numbering(connection, table)
    return counts


def copy_rows(
    source: str | URL, target: Database, *, before_commit: Callable[[], None] | None = None
) -> dict[str, int]:
    """Copy all rows of one database into an empty one, and return the number per table.

    Parameters
    ----------
    before_commit
        Called when all rows are written and none is visible yet.
    """
    origin = Database(source)
    try:
        with target.write_directly() as writing:
            with origin.snapshot() as reading:
                counts = load_rows(
                    writing, ((table, dump_rows(reading, table)) for table in tables_in_order())
                )
            origin.close()
            if before_commit is not None:
                before_commit()
            return counts
    finally:
        origin.close()


def late_columns(table: Table, present: Iterable[str]) -> list[str]:
    """Return the columns that point to rows of the same table, or of a table that is not `present` yet."""
    known = set(present)
    return [key.parent.name for key in table.foreign_keys if key.column.table.name not in known]


def reflected_tables(connection: Connection) -> dict[str, Table]:
    """Return the database's own tables by name; they may differ from the tables that the code declares.

    Each comes after the tables that its rows must point to.
    """
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name != VERSION_TABLE)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)  # SQL's NULL, not the JSON word null
            elif isinstance(column.type, DateTime):
                column.type = UtcTime()
    # `skip_fn` is asked about each column, though SQLAlchemy declares that it is about whole constraints.
    in_order = sort_tables(
        found.tables.values(), skip_fn=lambda key: bool(getattr(key.parent, "nullable", False))
    )
    return {table.name: table for table in in_order}


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield a few rows at a time, so that a long table is never in memory as a whole."""
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, AT_ONCE)):
        yield some


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _values(table: Table, line: str) -> dict[str, Any]:
    """Return the values of a line, one for every column of the table."""
    try:
        row = json.loads(line)
    except RecursionError:
        raise ValueError(f"a line of the table {table.name} is nested without end") from None
    if not isinstance(row, dict) or set(row) != set(table.columns.keys()):
        raise ValueError(f"a line of the table {table.name} does not have the columns of that table")
    for column in table.columns:
        if reason := why_unsound(column, row[column.name]):
            raise UnsoundRow(table.name, column.name, row, reason)
    return row


def _storable(table: Table, row: Mapping[str, Any], late: Sequence[str]) -> dict[str, Any]:
    return {
        name: None if name in late else _typed(table.columns[name].type, value) for name, value in row.items()
    }


def _typed(kind: TypeEngine[Any], value: Any) -> Any:
    if isinstance(plain_type(kind), DateTime) and value is not None:
        return datetime.fromisoformat(value)
    return value


def _point(connection: Connection, table: Table, late: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Fill in the references that had to wait for their target rows."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    change = table.update().where(*(table.columns[key] == bindparam(f"key_{key}") for key in keys))
    values = [
        {f"key_{key}": row[key] for key in keys} | {f"new_{name}": row[name] for name in late} for row in rows
    ]
    connection.execute(change.values({name: bindparam(f"new_{name}") for name in late}), values)


def _continue_numbering(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number the next row after the inserted ones; SQLite does so by itself."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    largest = connection.scalar(select(func.max(column)))
    sequence = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
    )
    if largest is not None and sequence is not None:
        connection.execute(
            text("SELECT setval(CAST(:sequence AS regclass), :largest)"),
            {"sequence": sequence, "largest": largest},
        )
