"""What Alembic runs: one transaction per migration, on the database that `migrate` names."""

from alembic import context
from sqlalchemy import create_engine

from engine.store.tables import metadata

database = create_engine(context.config.attributes["url"])
with database.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
database.dispose()
