"""Each organisation's rows are its own, and PostgreSQL itself keeps them apart."""

import sqlalchemy as sa
from alembic import op

from engine.store.row_security import guard

revision = "0005"
down_revision = "0004"
oldest = "0005"


def upgrade() -> None:
    """One organisation's many messages hold up nobody else's, and no deed sees another's rows."""
    waiting = "status = 'pending'"
    op.create_index(
        "ix_outbox_lanes",
        "outbox",
        ["channel", "tenant", "due_at"],
        sqlite_where=sa.text(waiting),
        postgresql_where=sa.text(waiting),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guard(connection)
