"""Signed summaries of what was pruned of a chain; what they stand for, and nothing else, may be deleted."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.append_only import keep_but_what_is_pruned
from engine.store.row_security import guard_table

revision = "0016"
down_revision = "0015"
oldest = "0015"


def upgrade() -> None:
    """Older code goes on; only to a verification by it, what was pruned looks cut."""
    op.create_table(
        "segments",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "chain", "first", name=op.f("pk_segments")),
    )
    op.create_table(
        "prunings",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("payload_at", columns.Moment(), nullable=False),
        sa.Column("record_at", columns.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "run", name=op.f("pk_prunings")),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_prunings_runs")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in ("segments", "prunings"):
            guard_table(connection, table)
    keep_but_what_is_pruned(connection)
