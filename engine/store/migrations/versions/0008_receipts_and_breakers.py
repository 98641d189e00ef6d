"""The outcome of every effect under its request id, and what is known of the targets of HTTP steps."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0008"
down_revision = "0007"
oldest = "0005"


def upgrade() -> None:
    """Only add, so that a process of the version before goes on meanwhile."""
    _receipts()
    op.create_table(
        "breakers",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("failed_at", columns.Moment(), nullable=True),
        sa.Column("open_until", columns.Moment(), nullable=True),
        sa.Column("trial_until", columns.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "target", name=op.f("pk_breakers")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in ("breakers", "receipts"):
            guard_table(connection, table)


def _receipts() -> None:
    op.create_table(
        "receipts",
        *(
            sa.Column(name, sa.Text(), nullable=name in _OPTIONAL)
            for name in (*_NAMED, *_OPTIONAL[:3], "state", *_OPTIONAL[3:6], "claimed_by", "token")
        ),
        sa.Column("lease_expires_at", columns.Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Moment(), nullable=False),
        sa.Column("updated_at", columns.Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('claimed', 'succeeded', 'failed_no_effect', 'unknown', 'alias')",
            name=op.f("ck_receipts_state_known"),
        ),
        sa.PrimaryKeyConstraint("tenant", "namespace", "request_id", name=op.f("pk_receipts")),
    )
    is_named = sa.text("effect IS NOT NULL")
    op.create_index(
        "uq_receipts_effect",
        "receipts",
        ["tenant", "namespace", "effect"],
        unique=True,
        sqlite_where=is_named,
        postgresql_where=is_named,
    )
    op.create_index("ix_receipts_execution", "receipts", ["tenant", "execution"])
    op.create_index("ix_receipts_page", "receipts", ["tenant", "created_at", "execution"])


_NAMED = ("tenant", "namespace", "request_id", "execution", "fingerprint", "action", "payload")
_OPTIONAL = ("effect", "same_as", "approval", "result", "artifact", "error", "token")
