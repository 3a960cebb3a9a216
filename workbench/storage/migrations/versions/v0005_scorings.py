"""The queue of scoring: batches that wait for their turn, and those that a person has stopped.

A workspace of before has none: its unscored batches wait for a person who opens them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "scorings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_scorings_batch_id"),
        sa.ForeignKeyConstraint(["version_id"], ["inspector_versions.id"], name="fk_scorings_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scorings"),
        sa.UniqueConstraint("batch_id", "version_id", name="uq_scorings_batch_id"),
    )
