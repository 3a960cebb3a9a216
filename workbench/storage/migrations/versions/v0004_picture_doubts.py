"""Doubts about whole pictures: beside each result, and beside its verdict with whether they counted.

Rows of before have none: NULL says that nobody looked for any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("results", sa.Column("doubts", sa.JSON(), nullable=True))
    op.add_column("inspections", sa.Column("doubts", sa.JSON(), nullable=True))
    op.add_column("inspections", sa.Column("picture_check", sa.Boolean(), nullable=True))
