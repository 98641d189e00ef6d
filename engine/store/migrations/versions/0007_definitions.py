"""Workflows that were written as YAML or JSON, every version of each."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0007"
down_revision = "0006"
oldest = "0005"


def upgrade() -> None:
    """Only add, so that a process of the version before goes on meanwhile."""
    op.create_table(
        "definitions",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("tenant", "name", "version", "body", "source", "needs")
        ),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", "version", name=op.f("pk_definitions")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guard_table(connection, "definitions")
