"""The boot from which the start of a job's process is counted, so that setting the clock makes no process another.

A row of before has none: its start is a time of day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the column, empty for older rows."""
    op.add_column("jobs", sa.Column("process_boot", sa.String(64), nullable=True))
