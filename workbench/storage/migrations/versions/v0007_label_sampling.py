"""The random draw of images to label: its settings beside the batch, stratum and random place beside each image.

Nothing was drawn from batches of before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("batches", sa.Column("sampling", sa.JSON(), nullable=True))
    op.add_column("batch_images", sa.Column("stratum", sa.String(length=8), nullable=True))
    op.add_column("batch_images", sa.Column("draw_place", sa.Integer(), nullable=True))
