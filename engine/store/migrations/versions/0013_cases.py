"""Cases with the signals of their sources, and receipts of the effects that settle them."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0013"
down_revision = "0012"
oldest = "0013"


def upgrade() -> None:
    """Older code would end an effect and leave its case as it was, so it stays away."""
    _cases()
    _signals()
    with op.batch_alter_table("receipts") as receipts:
        receipts.add_column(sa.Column("settles", sa.Text(), nullable=True))
    _unique("uq_receipts_settles", "receipts", ["tenant", "settles"], "settles IS NOT NULL")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in ("cases", "signals"):
            guard_table(connection, table)


def _cases() -> None:
    op.create_table(
        "cases",
        *(_text(name) for name in ("id", "tenant", "title", "outcomes")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("enough", "sources")),
        sa.Column("collected", sa.Boolean(), nullable=False),
        *(_text(name) for name in ("otherwise", "approvers", "status")),
        *(_text(name, optional=True) for name in ("outcome", "decision", "asked_in")),
        sa.Column("is_unanswered", sa.Boolean(), nullable=False),
        _text("opened_by"),
        *(_text(name, optional=True) for name in ("owner", "settlement")),
        *(
            sa.Column(name, columns.Moment(), nullable=False)
            for name in ("opened_at", "updated_at")
        ),
        sa.Column("settled_at", columns.Moment(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'resolved_provisional', 'in_reconciliation', 'final', 'settled')",
            name=op.f("ck_cases_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_page", "cases", ["tenant", "opened_at", "id"])


def _signals() -> None:
    op.create_table(
        "signals",
        *(_text(name) for name in ("tenant", "case_id", "id")),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *(_text(name) for name in ("source", "outcome")),
        sa.Column("confidence", sa.Integer(), nullable=False),
        *(_text(name) for name in ("meta", "reported_by")),
        _text("owner", optional=True),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("is_current", "is_late")),
        sa.Column("received_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "id", name=op.f("pk_signals")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_signals_cases")),
        sa.UniqueConstraint("case_id", "sequence", name=op.f("uq_signals_case_id_sequence")),
    )
    _unique("uq_signals_one_each", "signals", ["case_id", "source"], "is_current")


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _unique(name: str, table: str, those: list[str], where: str) -> None:
    only = sa.text(where)
    op.create_index(name, table, those, unique=True, sqlite_where=only, postgresql_where=only)
