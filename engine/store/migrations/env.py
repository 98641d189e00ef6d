"""What Alembic runs: one transaction per migration of a file, and one for all over a connection that is given."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, create_engine

from engine.store.migrations.marks import set_oldest
from engine.store.tables import metadata


def _mark(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    # In the migration's own transaction: nobody sees its schema without knowing who may work on it.
    if ctx.connection is not None:
        set_oldest(
            ctx.connection, context.script.get_revision(str(step.up_revision_id)).module.oldest
        )


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        on_version_apply=_mark,
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
