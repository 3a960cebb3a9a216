"""The box of the worst patch beside each verdict, so that the history says where an image was flagged.

Inspections of before take it from their results. It stays NULL where the result is gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Add the column and fill it."""
    op.add_column("inspections", sa.Column("worst_box", sa.JSON(), nullable=True))
    op.execute(
        "UPDATE inspections SET worst_box = (SELECT results.worst_box FROM results "
        "WHERE results.batch_image_id = inspections.batch_image_id "
        "AND results.version_id = inspections.version_id)"
    )
