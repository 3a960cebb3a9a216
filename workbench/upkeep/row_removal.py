"""Removal of rows: required references remove their own rows too, optional ones are cleared."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Table, delete, select, update
from sqlalchemy.orm import Session

from workbench.storage.tables import Base
from workbench.storage.workspace import AT_ONCE


def delete_rows(session: Session, table: Table, keys: Sequence[Any]) -> None:
    """Delete the rows of a table with these primary keys.

    A reference that may be empty is cleared, as in the history, which also holds values; a row whose reference may not
    be empty goes too.
    """
    (key,) = table.primary_key.columns
    for some in _in_parts(keys):
        for column in _references(table):
            if column.nullable:
                session.execute(update(column.table).where(column.in_(some)).values({column.name: None}))
            elif len(column.table.primary_key.columns) > 1:  # nothing points to such rows
                session.execute(delete(column.table).where(column.in_(some)))
            else:
                (own,) = column.table.primary_key.columns
                delete_rows(session, column.table, list(session.scalars(select(own).where(column.in_(some)))))
        session.execute(delete(table).where(key.in_(some)))


def _references(table: Table) -> Iterator[Column[Any]]:
    """Yield the columns of all tables that point to a table."""
    for other in Base.metadata.sorted_tables:
        for foreign in other.foreign_keys:
            if foreign.column.table is table:
                yield foreign.parent


def _in_parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
