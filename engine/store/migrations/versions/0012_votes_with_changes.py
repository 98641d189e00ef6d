"""A vote may say what it changes of what is asked; one that does not agrees to it as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
oldest = "0012"


def upgrade() -> None:
    """Older code would count votes for different outcomes together, so it stays away."""
    with op.batch_alter_table("votes") as votes:
        votes.add_column(sa.Column("changes", sa.Text, nullable=True))
