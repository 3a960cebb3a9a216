"""The purpose of batches and verdicts: images that were brought in to evaluate are told apart from production.

An older batch is taken as an evaluation set where an image came with a mask or a label: it has one, and nobody has
labelled it since. Verdicts of such a batch, and verdicts of another inspector than the batch's own, are evaluation too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"

# A verdict is counted and looked through by its purpose too, so the indexes that answer without the rows hold it.
COVERING = {
    "ix_inspections_inspector_created": ["inspector_id", "created", "verdict"],
    "ix_inspections_verdict_created": ["verdict", "created"],
    "ix_inspections_accepted": ["version_id", "point_id", "verdict", "created", "score"],
}

LABELLED_BATCHES = """
UPDATE batches SET purpose = 'evaluation' WHERE kind = 'test' AND watch_id IS NULL AND EXISTS (
    SELECT 1 FROM batch_images WHERE batch_images.batch_id = batches.id AND (batch_images.mask_sha256 IS NOT NULL
    OR batch_images.truth IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM label_changes WHERE label_changes.batch_image_id = batch_images.id)))
"""
THEIR_VERDICTS = """
UPDATE inspections SET purpose = 'evaluation' WHERE EXISTS (
    SELECT 1 FROM batch_images JOIN batches ON batches.id = batch_images.batch_id
    WHERE batch_images.id = inspections.batch_image_id
    AND (batches.purpose = 'evaluation' OR batches.inspector_id <> inspections.inspector_id))
"""


def upgrade() -> None:
    """Add the columns, fill them from what is known, and let the indexes hold them."""
    for table in ("batches", "inspections"):
        column = sa.Column("purpose", sa.String(16), nullable=False, server_default="production")
        op.add_column(table, column)
    op.execute(LABELLED_BATCHES)
    op.execute(THEIR_VERDICTS)
    for name, columns in COVERING.items():
        op.drop_index(name, "inspections")
        op.create_index(name, "inspections", [*columns, "purpose"])
