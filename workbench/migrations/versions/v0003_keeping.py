"""Keeping: who made what, the bin, the history of verdicts, watched folders, events and preferences.

Columns are added in place: rebuilding a table (`batch_alter_table`) would drop it while others point at its rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"

MADE_BY = ("inspector_versions", "label_changes", "operating_points", "jobs")


def upgrade() -> None:
    """Add what is new; a version that shares its bank with another came from a change of its share."""
    for table in MADE_BY:
        op.add_column(table, sa.Column("made_by", sa.Text(), nullable=False, server_default=""))
    for table in ("inspectors", "inspector_versions"):
        op.add_column(table, sa.Column("deleted", sa.DateTime(timezone=True), nullable=True))
    for counter in ("revision", "last_number"):
        op.add_column("inspectors", sa.Column(counter, sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "operating_points",
        sa.Column("change", sa.String(length=16), nullable=False, server_default="threshold"),
    )
    op.add_column(
        "inspector_versions",
        sa.Column("change", sa.String(length=16), nullable=False, server_default="build"),
    )
    op.execute("UPDATE inspector_versions SET change = 'share' WHERE base_id IS NOT NULL")
    op.add_column(
        "inspector_images", sa.Column("taught", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _inspections()
    _watches()
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["inspector_id"], ["inspectors.id"], name="fk_events_inspector_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_created", "events", ["created"])
    op.create_index("ix_events_inspector_id", "events", ["inspector_id"])
    op.create_table(
        "preferences",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_preferences"),
    )


def _inspections() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=True),
        sa.Column("inspector_name", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("version_number", sa.Integer(), nullable=True),
        sa.Column("point_id", sa.Integer(), nullable=True),
        sa.Column("point_number", sa.Integer(), nullable=True),
        sa.Column("batch_image_id", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("score", "accept", "reject", "pixel")),
        sa.Column("min_area", sa.Integer(), nullable=True),
        sa.Column("judge_by", sa.String(length=8), nullable=True),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.Column("region_count", sa.Integer(), nullable=True),
        sa.Column("regions", sa.JSON(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("overlay_path", sa.Text(), nullable=True),
        sa.Column("decision", sa.String(length=8), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["inspector_id"], ["inspectors.id"], name="fk_inspections_inspector_id"),
        sa.ForeignKeyConstraint(["version_id"], ["inspector_versions.id"], name="fk_inspections_version_id"),
        sa.ForeignKeyConstraint(["point_id"], ["operating_points.id"], name="fk_inspections_point_id"),
        sa.ForeignKeyConstraint(
            ["batch_image_id"], ["batch_images.id"], name="fk_inspections_batch_image_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inspections"),
        sa.UniqueConstraint("batch_image_id", "version_id", name="uq_inspections_batch_image_id"),
    )
    op.create_index("ix_inspections_created", "inspections", ["created"])
    by_inspector = ["inspector_id", "created", "verdict"]
    op.create_index("ix_inspections_inspector_created", "inspections", by_inspector)
    op.create_index("ix_inspections_verdict_created", "inspections", ["verdict", "created"])
    op.create_index("ix_inspections_operator_created", "inspections", ["operator", "created"])
    accepted = ["version_id", "point_id", "verdict", "created", "score"]
    op.create_index("ix_inspections_accepted", "inspections", accepted)
    op.create_index("ix_inspections_sha256", "inspections", ["sha256"])


def _watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["inspector_id"], ["inspectors.id"], name="fk_watches_inspector_id"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_watches_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
    )
    op.create_index("ix_watches_inspector_id", "watches", ["inspector_id"])
    op.create_table(
        "watched_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("modified", sa.String(length=32), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"], name="fk_watched_files_inspection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_watched_files"),
        sa.UniqueConstraint("folder", "path", "size_bytes", "modified", name="uq_watched_files_folder"),
    )
    op.create_index("ix_watched_files_folder_created", "watched_files", ["folder", "created"])
    op.execute(  # as in v0002: SQLite takes a reference only together with its column
        "ALTER TABLE batches ADD COLUMN watch_id INTEGER CONSTRAINT fk_batches_watch_id REFERENCES watches (id)"
    )
    op.create_index("ix_batches_watch_id", "batches", ["watch_id"])
