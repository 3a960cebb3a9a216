"""Timestamps: the present time, and how a database keeps times."""

from datetime import UTC, datetime, time

from sqlalchemy import DateTime, Dialect, TypeDecorator


def now() -> datetime:
    """Return the present time, with its zone."""
    return datetime.now(UTC)


def last_midnight() -> datetime:
    """Return the begin of today by the clock on this computer's wall, also on a day that changes to summer time."""
    today = now().astimezone().date()
    return datetime.combine(today, time()).astimezone()


class UtcTime(TypeDecorator[datetime]):
    """A timestamp, stored and read back as UTC (SQLite forgets zones, PostgreSQL has its own)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC on the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC, whichever zone the server is set to."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
