"""What happened lately in a tenant is found by its moment, for those who watch."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
oldest = "0003"

WHERE = (
    "kind NOT IN ('step.begun', 'step.finished', 'step.failed', 'step.retry_scheduled', "
    "'step.retried', 'value.recorded', 'checkpoint.created', 'sleep.started', 'sleep.ended', "
    "'approval.consumed', 'compensation.begun', 'compensation.finished', 'compensation.failed')"
)


def upgrade() -> None:
    """Entries inside a run stay out of it: most of a journal, and told to those who watch that run."""
    op.create_index(
        "ix_journal_news",
        "journal",
        ["tenant", "at"],
        sqlite_where=sa.text(WHERE),
        postgresql_where=sa.text(WHERE),
    )
