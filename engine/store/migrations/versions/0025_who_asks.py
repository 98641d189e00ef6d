"""Who asks an approval is known beside it, so that what one requester has open is counted at once."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
oldest = "0024"


def upgrade() -> None:
    """What was asked before, and what an older server still asks, says nobody and is not counted."""
    op.add_column("approvals", sa.Column("asked_by", sa.Text(), nullable=True))
    is_open = sa.text("status = 'open'")
    op.create_index(
        op.f("ix_approvals_asked_by"),
        "approvals",
        ["asked_by", "status", "tenant"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
