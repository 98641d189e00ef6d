"""Rungs that are due at one instant are found in their order, however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
oldest = "0019"


def upgrade() -> None:
    """Without the rung in its index, each look at ten thousand of one moment sorts all that are left."""
    armed = sa.text("fired_at IS NULL AND cancelled_at IS NULL")
    op.drop_index("ix_timers_due", "timers")
    op.create_index(
        "ix_timers_due", "timers", ["due_at", "rung"], sqlite_where=armed, postgresql_where=armed
    )
