"""Who made a key is known beside it, so that they never count on what is asked with it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
oldest = "0024"


def upgrade() -> None:
    """Keys that were made before, and those that an older server still makes, name nobody."""
    op.add_column("keys", sa.Column("made_by", sa.Text(), nullable=True))
