"""Approvals are found by whom they ask."""

import sqlalchemy as sa
from alembic import op

from engine.store.whom import ON_POSTGRESQL, ON_SQLITE

revision = "0021"
down_revision = "0020"
oldest = "0019"


def upgrade() -> None:
    """An index over what is there: code that does not know of it keeps it up all the same."""
    whom = ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else ON_SQLITE
    op.create_index(
        "ix_approvals_whom",
        "approvals",
        ["tenant", "status", sa.text(whom), "expires_at", "id", "excluded"],
    )
