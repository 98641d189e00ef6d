"""One clock for several machines: on PostgreSQL, a function that tells the moment."""

from alembic import op

revision = "0002"
down_revision = "0001"
oldest = "0001"


def upgrade() -> None:
    """Make the function. A SQLite file has one owner, whose own clock it goes by."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION signoff_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            "$$ SELECT clock_timestamp() + coalesce((SELECT value::interval FROM meta "
            "WHERE key = 'clock_offset'), interval '0') $$"
        )
