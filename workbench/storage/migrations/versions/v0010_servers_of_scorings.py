"""The server that scores a batch of the queue: of several servers on one database, one takes it.

A row of before belongs to none, so the next server that looks takes it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("scorings", sa.Column("host", sa.Text(), nullable=True))
    op.add_column("scorings", sa.Column("pid", sa.Integer(), nullable=True))
    op.add_column("scorings", sa.Column("process_started", sa.Double(), nullable=True))
    op.add_column("scorings", sa.Column("process_boot", sa.String(64), nullable=True))
    op.add_column("scorings", sa.Column("heartbeat", sa.DateTime(timezone=True), nullable=True))
