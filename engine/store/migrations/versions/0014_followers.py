"""A run may have followers, who are told when it waits, is stuck or has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
oldest = "0013"


def upgrade() -> None:
    """Nobody follows the runs there are. Code that does not know of followers, beside this one, tells nobody."""
    op.add_column("runs", sa.Column("notify", sa.Text(), nullable=True))
