"""How Alembic reaches the database: through the connection that `Database` has opened and locked."""

from alembic import context

from workbench.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
