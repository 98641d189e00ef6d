"""A step that journals its beginning says there what its budgets keep back for it."""

revision = "0029"
down_revision = "0028"
oldest = "0029"


def upgrade() -> None:
    """Nothing changes in what is stored. Older code would look for an entry besides, and keep it back once more."""
