"""Organisations that share one Signoff, and how often a run was taken up without getting anywhere."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns

revision = "0003"
down_revision = "0002"
oldest = "0002"


def upgrade() -> None:
    """Only add, so that a process of the version before goes on meanwhile."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )
    op.add_column("runs", sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
