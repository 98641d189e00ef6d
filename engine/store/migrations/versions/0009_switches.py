"""Kill switches, and the few runs that wait for one or are paused."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import answer_for_everybody, guard_table

revision = "0009"
down_revision = "0008"
oldest = "0009"


def upgrade() -> None:
    """Code that knows no switch would begin steps below one."""
    op.create_table(
        "switches",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("engaged_by", sa.Text(), nullable=False),
        sa.Column("engaged_at", columns.Moment(), nullable=False),
        sa.Column("release_asked_by", sa.Text(), nullable=True),
        sa.Column("release_asked_at", columns.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "scope", name=op.f("pk_switches")),
    )
    for name, where in (("halted", "reason = 'halted'"), ("paused", "status = 'paused'")):
        op.create_index(
            f"ix_runs_{name}",
            "runs",
            ["tenant"],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        guard_table(connection, "switches")
        answer_for_everybody(connection)
