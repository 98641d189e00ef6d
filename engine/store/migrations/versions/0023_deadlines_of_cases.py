"""Cases that end without an outcome: once their time is over, or because an operator closed them."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import answer_for_everybody

revision = "0023"
down_revision = "0022"
oldest = "0023"

_KNOWN = (
    "status IN ('open', 'resolved_provisional', 'in_reconciliation', 'final', 'settled', "
    "'expired', 'closed')"
)
_DUE = "status IN ('open', 'resolved_provisional', 'in_reconciliation')"


def upgrade() -> None:
    """Older code would not know what such a case is. Those that are open wait as long as before."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(sa.Column("expires_at", columns.Moment(), nullable=True))
        cases.add_column(sa.Column("given_up", sa.Text(), nullable=True))
        cases.drop_constraint(op.f("ck_cases_status_known"), type_="check")
        cases.create_check_constraint(op.f("ck_cases_status_known"), _KNOWN)
    where = sa.text(_DUE)
    op.create_index(
        "ix_cases_due", "cases", ["expires_at"], sqlite_where=where, postgresql_where=where
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        answer_for_everybody(connection)
