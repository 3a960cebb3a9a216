"""What was found in reading a labelled set's files stays with its batch, so that its report can show it."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; batches from before have nothing in it."""
    op.execute("ALTER TABLE batches ADD COLUMN reading JSON")
