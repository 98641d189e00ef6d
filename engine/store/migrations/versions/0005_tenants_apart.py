"""Each organisation's rows are its own: what waits is found tenant by tenant."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One organisation's many messages hold up nobody else's."""
    waiting = "status = 'pending'"
    op.create_index(
        "ix_outbox_lanes",
        "outbox",
        ["channel", "tenant", "due_at"],
        sqlite_where=sa.text(waiting),
        postgresql_where=sa.text(waiting),
    )
