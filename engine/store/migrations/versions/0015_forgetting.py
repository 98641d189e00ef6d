"""Keys of people's own under which is sealed what they write, who was erased, and what must not be."""

import sqlalchemy as sa
from alembic import op

from engine.store import columns
from engine.store.row_security import guard_table

revision = "0015"
down_revision = "0014"
oldest = "0015"


def upgrade() -> None:
    """Older code would show what is sealed as it is stored, and bring back whom it does not know to be erased."""
    op.create_table(
        "subject_keys",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=True),
        sa.Column("made_at", columns.Moment(), nullable=False),
        sa.Column("destroyed_at", columns.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_subject_keys")),
    )
    op.create_index(op.f("ix_subject_keys_tenant_person"), "subject_keys", ["tenant", "person"])
    op.create_table(
        "erasures",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "person", name=op.f("pk_erasures")),
    )
    op.create_table(
        "legal_holds",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", columns.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "scope", name=op.f("pk_legal_holds")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("subject_keys", "erasures", "legal_holds"):
            guard_table(op.get_bind(), table)
