"""A run may be in a sandbox, where each step is answered and none is done."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
oldest = "0027"


def upgrade() -> None:
    """The runs there are are real. Code that does not know of sandboxes would do their steps: it must not run beside."""
    op.add_column("runs", sa.Column("sandbox", sa.Text(), nullable=True))
