"""Remarks on images: how each was read, and how it differs from the good ones, beside its result and its verdict.

Rows of before have none: NULL says that nobody noted any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("results", sa.Column("remarks", sa.JSON(), nullable=True))
    op.add_column("inspections", sa.Column("remarks", sa.JSON(), nullable=True))
