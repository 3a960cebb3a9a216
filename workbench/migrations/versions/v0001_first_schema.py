"""The first schema: images, inspectors and their versions, batches and results, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "images",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("suffix", sa.String(length=16), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_images"),
    )
    op.create_table(
        "inspectors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inspectors"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cancel_requested", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("eta_seconds", sa.Double(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("process_started", sa.Double(), nullable=True),
        sa.Column("heartbeat", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state_created", "jobs", ["state", "created"])

    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inspector_id"], ["inspectors.id"], name="fk_batches_inspector_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_created", "batches", ["created"])
    op.create_index("ix_batches_inspector_id", "batches", ["inspector_id"])

    op.create_table(
        "inspector_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("largest_share", sa.Double(), nullable=False),
        sa.Column("patches", sa.Integer(), nullable=False),
        sa.Column("cover_radius", sa.Double(), nullable=False),
        sa.Column("megabytes", sa.Double(), nullable=False),
        sa.Column("operating_point", sa.JSON(), nullable=False),
        sa.Column("good_scores", sa.JSON(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("thumbnail_sha256", sa.String(length=64), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["base_id"], ["inspector_versions.id"], name="fk_inspector_versions_base_id"),
        sa.ForeignKeyConstraint(
            ["inspector_id"], ["inspectors.id"], name="fk_inspector_versions_inspector_id"
        ),
        sa.ForeignKeyConstraint(
            ["thumbnail_sha256"],
            ["images.sha256"],
            name="fk_inspector_versions_thumbnail_sha256",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inspector_versions"),
        sa.UniqueConstraint("inspector_id", "number", name="uq_inspector_versions_inspector_id"),
    )
    op.create_index("ix_inspector_versions_inspector_id", "inspector_versions", ["inspector_id"])

    op.create_table(
        "batch_images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("truth", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_images_batch_id"),
        sa.ForeignKeyConstraint(["sha256"], ["images.sha256"], name="fk_batch_images_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_images"),
        sa.UniqueConstraint("batch_id", "position", name="uq_batch_images_batch_id"),
    )
    op.create_index("ix_batch_images_sha256", "batch_images", ["sha256"])

    op.create_table(
        "inspector_images",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["images.sha256"], name="fk_inspector_images_sha256"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["inspector_versions.id"], name="fk_inspector_images_version_id"
        ),
        sa.PrimaryKeyConstraint("version_id", "position", name="pk_inspector_images"),
    )
    op.create_index("ix_inspector_images_sha256", "inspector_images", ["sha256"])

    op.create_table(
        "results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_image_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("worst_box", sa.JSON(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("map_path", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("explanation", sa.JSON(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_image_id"], ["batch_images.id"], name="fk_results_batch_image_id"),
        sa.ForeignKeyConstraint(["version_id"], ["inspector_versions.id"], name="fk_results_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("batch_image_id", "version_id", name="uq_results_batch_image_id"),
    )
    op.create_index("ix_results_created", "results", ["created"])
    op.create_index("ix_results_version_created", "results", ["version_id", "created"])
    with op.batch_alter_table("inspectors") as inspectors:  # the circle is closed when both ends exist
        inspectors.create_foreign_key("fk_inspectors_current", "inspector_versions", ["current_id"], ["id"])
