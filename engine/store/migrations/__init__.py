"""Brings a database to the schema this version knows, by one Alembic chain for both databases."""

import logging
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text

from engine.errors import Unavailable

HEAD = "0003"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('signoff:migrate', 0))")


def migrate(url: str) -> None:
    """Make or upgrade the SQLite file at `url`; at once when nothing is to be done. Forward only.

    Raises:
        Unavailable: when the database was made by a newer Signoff.
    """
    database = create_engine(url)
    try:
        with database.connect() as connection:
            is_behind = _is_behind(connection)
        if is_behind:
            _upgrade(url=url)
    finally:
        database.dispose()


def migrate_over(connection: Connection) -> None:
    """As `migrate`, over an open connection to PostgreSQL and in its transaction, all or nothing.

    Several that start at once wait for each other, and the first of them does it.
    """
    connection.execute(_LOCK)
    if _is_behind(connection):
        _upgrade(connection=connection)


def revision(connection: Connection) -> str | None:
    """The schema revision a database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _is_behind(connection: Connection) -> bool:
    found = revision(connection)
    if found is not None and found > HEAD:
        raise Unavailable(
            f"This database has schema {found}; this Signoff knows {HEAD}. Install the newer version.",
            code="schema_too_new",
        )
    return found != HEAD


def _upgrade(**where: object) -> None:
    # Alembic is slow to import and a database at its head never needs it.
    from alembic import command
    from alembic.config import Config

    # It tells its own story at every step; one sentence of ours is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(where)
    command.upgrade(config, "head")
