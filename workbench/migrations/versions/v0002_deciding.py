"""Deciding: masks, label changes, the history of thresholds, and batches of good images scored without themselves.

Columns are added in place: rebuilding a table (`batch_alter_table`) would drop it while others point at its rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add what is new; the points in force become the first entries of their histories."""
    op.add_column("batches", sa.Column("kind", sa.String(length=16), nullable=False, server_default="test"))
    # SQLite takes a reference only together with its column, in words that PostgreSQL understands too.
    op.execute(
        "ALTER TABLE batches ADD COLUMN bank_id INTEGER "
        "CONSTRAINT fk_batches_bank_id REFERENCES inspector_versions (id)"
    )
    op.execute(
        "ALTER TABLE batch_images ADD COLUMN mask_sha256 VARCHAR(64) "
        "CONSTRAINT fk_batch_images_mask_sha256 REFERENCES images (sha256)"
    )
    op.create_index("ix_batches_bank_id", "batches", ["bank_id"], unique=True)
    op.create_table(
        "label_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_image_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=True),
        sa.Column("after", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_image_id"], ["batch_images.id"], name="fk_label_changes_batch_image_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_label_changes"),
    )
    op.create_index("ix_label_changes_batch_image_id", "label_changes", ["batch_image_id"])
    op.create_table(
        "operating_points",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["inspector_versions.id"], name="fk_operating_points_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operating_points"),
    )
    op.create_index("ix_operating_points_version_id", "operating_points", ["version_id"])
    op.execute(
        "INSERT INTO operating_points (version_id, data, note, created) "
        "SELECT id, operating_point, '', created FROM inspector_versions ORDER BY id"
    )
