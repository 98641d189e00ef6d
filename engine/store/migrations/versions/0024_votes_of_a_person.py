"""What a person answered to an approval is found at once, however many others came too late."""

from alembic import op

revision = "0024"
down_revision = "0023"
oldest = "0023"


def upgrade() -> None:
    """Without it each late vote looks through all late votes before it: a crowd's cost is its square."""
    op.create_index(op.f("ix_votes_approval_person"), "votes", ["approval", "person"])
