"""Runs start runs: each knows which one started it, where, and which is at the top."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
oldest = "0011"


def upgrade() -> None:
    """Whatever runs already was started by nobody else, and is the top of its own tree."""
    for name in ("parent", "parent_path", "root"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
    below = sa.text("root IS NOT NULL")
    op.create_index("ix_runs_tree", "runs", ["root"], sqlite_where=below, postgresql_where=below)
