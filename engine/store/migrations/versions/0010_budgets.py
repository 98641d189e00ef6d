"""What may be spent, what is spent and kept back in each period, and what is kept back for a run."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0010"
down_revision = "0009"
oldest = "0009"


def upgrade() -> None:
    """Only add: code of the version before knows no budgets, and spends nothing on them."""
    op.add_column("runs", sa.Column("reserved", sa.Text(), nullable=True))
    op.create_table(
        "budgets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("then", sa.Text(), nullable=False),
        sa.Column("enforce", sa.Text(), nullable=False),
        sa.Column("more", sa.Text(), nullable=True),
        sa.Column("approvers", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("set_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint("tenant", "scope", "per", name=op.f("uq_budgets_tenant_scope_per")),
    )
    op.create_table(
        "usages",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("starts_at", columns.Moment(), nullable=True),
        sa.Column("ends_at", columns.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("budget", "period", "unit", name=op.f("pk_usages")),
        sa.ForeignKeyConstraint(["budget"], ["budgets.id"], name=op.f("fk_usages_budgets")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("budgets", "usages"):
            guard_table(op.get_bind(), table)
