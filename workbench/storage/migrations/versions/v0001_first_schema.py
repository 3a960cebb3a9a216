"""The first schema: all tables.

A later change of the schema gets its own migration beside this one, ``v0002_<what>.py`` with ``revision = "0002"``
and ``down_revision = "0001"``; this file never changes. A migration adds columns in place: rebuilding a table
(`op.batch_alter_table`) would drop it while rows of others point at it. SQLite takes a reference only together with
its column, in words that PostgreSQL understands too::

    op.execute("ALTER TABLE batches ADD COLUMN lot_id INTEGER CONSTRAINT fk_batches_lot_id REFERENCES lots (id)")

The tests hold a workspace of each schema, and say how to add one:
``tests/workbench/storage/test_migrations.py``.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the tables, each after those it points to."""
    _images_and_jobs()
    _inspectors()
    _watches()
    _batches()
    _inspections()
    _workspace()


def _images_and_jobs() -> None:
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
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False, server_default=""),
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


def _inspectors() -> None:
    op.create_table(
        "inspectors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("deleted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_number", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_inspectors"),
    )
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
        sa.Column("change", sa.String(length=16), nullable=False, server_default="build"),
        sa.Column("made_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.DateTime(timezone=True), nullable=True),
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
    with op.batch_alter_table("inspectors") as inspectors:  # the circle is closed when both ends exist
        inspectors.create_foreign_key("fk_inspectors_current", "inspector_versions", ["current_id"], ["id"])
    op.create_table(
        "inspector_images",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taught", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(["sha256"], ["images.sha256"], name="fk_inspector_images_sha256"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["inspector_versions.id"], name="fk_inspector_images_version_id"
        ),
        sa.PrimaryKeyConstraint("version_id", "position", name="pk_inspector_images"),
    )
    op.create_index("ix_inspector_images_sha256", "inspector_images", ["sha256"])
    op.create_table(
        "operating_points",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False, server_default="threshold"),
        sa.Column("made_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["inspector_versions.id"], name="fk_operating_points_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_operating_points"),
    )
    op.create_index("ix_operating_points_version_id", "operating_points", ["version_id"])


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


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspector_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, server_default="test"),
        sa.Column("bank_id", sa.Integer(), nullable=True),
        sa.Column("watch_id", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inspector_id"], ["inspectors.id"], name="fk_batches_inspector_id"),
        sa.ForeignKeyConstraint(["bank_id"], ["inspector_versions.id"], name="fk_batches_bank_id"),
        sa.ForeignKeyConstraint(["watch_id"], ["watches.id"], name="fk_batches_watch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_created", "batches", ["created"])
    op.create_index("ix_batches_inspector_id", "batches", ["inspector_id"])
    op.create_index("ix_batches_bank_id", "batches", ["bank_id"], unique=True)
    op.create_index("ix_batches_watch_id", "batches", ["watch_id"])
    op.create_table(
        "batch_images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("truth", sa.String(length=64), nullable=True),
        sa.Column("mask_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_images_batch_id"),
        sa.ForeignKeyConstraint(["sha256"], ["images.sha256"], name="fk_batch_images_sha256"),
        sa.ForeignKeyConstraint(["mask_sha256"], ["images.sha256"], name="fk_batch_images_mask_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_images"),
        sa.UniqueConstraint("batch_id", "position", name="uq_batch_images_batch_id"),
    )
    op.create_index("ix_batch_images_sha256", "batch_images", ["sha256"])
    op.create_table(
        "label_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_image_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=True),
        sa.Column("after", sa.String(length=64), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_image_id"], ["batch_images.id"], name="fk_label_changes_batch_image_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_label_changes"),
    )
    op.create_index("ix_label_changes_batch_image_id", "label_changes", ["batch_image_id"])
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


def _workspace() -> None:
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
    op.create_table(
        "address_owners",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_address_owners"),
    )
