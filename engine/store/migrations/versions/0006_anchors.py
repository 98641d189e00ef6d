"""What was written can be proven: anchors of every chain, and what is appended stays."""

import sqlalchemy as sa
from alembic import op

from engine.store.append_only import keep_what_is_appended
from engine.store.columns import Moment
from engine.store.row_security import guard_table

revision = "0006"
down_revision = "0005"
oldest = "0005"


def upgrade() -> None:
    """Signed heads of chains are kept here too, and triggers refuse to change what was appended."""
    op.create_table(
        "anchors",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("published_at", Moment),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_anchors")),
    )
    op.create_table(
        "anchored",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("anchor", sa.Integer, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "anchor", "chain", name=op.f("pk_anchored")),
        sa.ForeignKeyConstraint(
            ["tenant", "anchor"],
            ["anchors.tenant", "anchors.number"],
            name=op.f("fk_anchored_anchors"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_anchored_tenant_chain_position"), "anchored", ["tenant", "chain", "position"]
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in ("anchors", "anchored"):
            guard_table(connection, table)
    keep_what_is_appended(connection, ["journal", "audit", "anchors", "anchored"], prunable=())
