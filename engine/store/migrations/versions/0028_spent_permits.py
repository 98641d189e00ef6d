"""Who took the permit of an effect's claim, in the effect's own receipt."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
oldest = "0028"


def upgrade() -> None:
    """No permit was spent yet. Older code would leave it out of the audit's digests, and keep it for a new claim."""
    op.add_column("receipts", sa.Column("spent", sa.Text(), nullable=True))
