"""Types of columns: values are checked before they are stored, because SQLite takes any value anywhere."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, Float, Integer, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from patchcore.files.value_rules import LARGEST_NUMBER

LARGEST_WHOLE = (1 << 63) - 1
DEEPEST = 40  # levels of a JSON value
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
MAY_BE_EMPTY = "map_peaks"  # JSON name that may hold minus infinity: the peak of a map without a region


def why_unsound(column: Column[Any], value: Any) -> str | None:
    """Return the fault of a value from a line of a backup, as a clause; None for a sound value."""
    if value is None:
        return None if column.nullable else "a required value is missing"
    kind = plain_type(column.type)
    check = next((check for known, check in _CHECKS.items() if isinstance(kind, known)), None)
    return f"the program has no check for the type {kind}" if check is None else check(value, column)


def plain_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the database's own type."""
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _why_not_boolean(value: Any, _column: Column[Any]) -> str | None:
    return None if isinstance(value, bool) else f"{_shown(value)} is neither true nor false"


def _why_not_whole(value: Any, column: Column[Any]) -> str | None:
    if type(value) is not int:  # true is a whole number elsewhere
        return f"{_shown(value)} is not a whole number"
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    lowest = 1 if alone or column.foreign_keys else -LARGEST_WHOLE  # rows are numbered from 1
    return None if lowest <= value <= LARGEST_WHOLE else f"{_shown(value)} is outside the range of the column"


def _why_not_number(value: Any, _column: Column[Any]) -> str | None:
    is_number = type(value) in (int, float) and abs(value) <= LARGEST_NUMBER
    return None if is_number else f"{_shown(value)} is not a number"


def _why_no_moment(value: Any, _column: Column[Any]) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
        known = moment.tzinfo is not None and EARLIEST <= moment.astimezone(UTC) < LATEST
    except (TypeError, ValueError, OverflowError):
        known = False
    return None if known else f"{_shown(value)} is not a time with its zone, from 1970 on"


def _why_no_json(value: Any, _column: Column[Any]) -> str | None:
    if not isinstance(value, (dict, list)):
        return f"{_shown(value)} is neither a list nor a list of names and values"
    return _why_no_part(value, 0, False)


def _why_no_part(value: Any, depth: int, may_be_empty: bool) -> str | None:
    """Return the fault of a JSON value: an infinite or huge number, or endless nesting."""
    if isinstance(value, float):
        finite = math.isfinite(value) or (may_be_empty and value == -math.inf)
        return None if finite else f"it holds {value}, which is not a number"
    if isinstance(value, int):
        return None if abs(value) < 1 << 64 else "it holds a number beyond 64 bits"
    if not isinstance(value, (dict, list)):
        return None
    if depth >= DEEPEST:
        return f"it is nested more than {DEEPEST} levels deep"
    parts = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    found = (_why_no_part(one, depth + 1, may_be_empty or name == MAY_BE_EMPTY) for name, one in parts)
    return next((reason for reason in found if reason is not None), None)


def _why_no_text(value: Any, column: Column[Any]) -> str | None:
    if not isinstance(value, str):
        return f"{_shown(value)} is not a text"
    longest: int | None = getattr(plain_type(column.type), "length", None)
    if longest is not None and len(value) > longest:
        return f"{_shown(value)} has {len(value):,} characters; {longest} are the most"
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        return f"{_shown(value)} holds a character that a text cannot have"
    return None


def _shown(value: Any) -> str:
    return f"{value!a:.60}"


_CHECKS: dict[type[TypeEngine[Any]], Callable[[Any, Column[Any]], str | None]] = {
    Boolean: _why_not_boolean,
    Integer: _why_not_whole,
    Float: _why_not_number,
    DateTime: _why_no_moment,
    JSON: _why_no_json,
    String: _why_no_text,
}
