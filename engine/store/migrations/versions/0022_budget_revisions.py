"""Whoever remembers which budgets a tenant has sees by one value whether anybody changed them since."""

import sqlalchemy as sa
from alembic import op

from engine.store.row_security import guard_table

revision = "0022"
down_revision = "0021"
oldest = "0022"


def upgrade() -> None:
    """Without a row nothing is remembered. Older code would change budgets unseen, so it stays away."""
    op.create_table(
        "budget_revisions",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant", "revision")),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_budget_revisions")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guard_table(connection, "budget_revisions")
