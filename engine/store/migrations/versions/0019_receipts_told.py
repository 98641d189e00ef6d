"""Where the audit tells of each receipt; of those that are there it is told now."""

import sqlalchemy as sa
from alembic import op

from engine.store.receipt_adoption import adopt

revision = "0019"
down_revision = "0018"
oldest = "0019"


def upgrade() -> None:
    """Older code would change a receipt and tell nobody, so it stays away."""
    op.add_column("receipts", sa.Column("told", sa.Integer(), nullable=True))
    adopt(op.get_bind())
