"""Results of steps that answer equal calls for a while."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0017"
down_revision = "0016"
oldest = "0016"


def upgrade() -> None:
    """Nothing is kept yet; code that does not know of it makes every call."""
    op.create_table(
        "reuses",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("tenant", "key", "result", "cost", "run")
        ),
        *(sa.Column(name, columns.Moment(), nullable=False) for name in ("made_at", "keep_until")),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("pk_reuses")),
    )
    op.create_index("ix_reuses_tenant_keep_until", "reuses", ["tenant", "keep_until"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guard_table(connection, "reuses")
