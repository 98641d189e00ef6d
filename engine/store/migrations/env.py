"""What Alembic runs: one transaction per migration of a file, and one for all over a connection that is given."""

from alembic import context
from sqlalchemy import Connection, create_engine

from engine.store.tables import metadata


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    _migrate(context.config.attributes["connection"])
else:
    database = create_engine(context.config.attributes["url"])
    with database.connect() as opened:
        _migrate(opened)
    database.dispose()
