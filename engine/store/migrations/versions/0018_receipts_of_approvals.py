"""Receipts are found by the approval that allowed their effect."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
oldest = "0017"


def upgrade() -> None:
    """Older code goes on; it looks them up in no such way."""
    given = sa.text("approval IS NOT NULL")
    op.create_index(
        "ix_receipts_approval",
        "receipts",
        ["tenant", "approval"],
        sqlite_where=given,
        postgresql_where=given,
    )
