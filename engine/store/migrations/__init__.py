"""Brings a database to the schema this version knows, by one Alembic chain for both databases."""

import logging
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text

from engine.errors import Unavailable

HEAD = "0001"


def migrate(url: str) -> None:
    """Make or upgrade the schema at `url`; at once when nothing is to be done. Forward only.

    Raises:
        Unavailable: when the database was made by a newer Signoff.
    """
    database = create_engine(url)
    try:
        with database.connect() as connection:
            found = revision(connection)
        if found is not None and found > HEAD:
            raise Unavailable(
                f"This database has schema {found}; this Signoff knows {HEAD}. Install the newer version.",
                code="schema_too_new",
            )
        if found != HEAD:
            _upgrade(url)
    finally:
        database.dispose()


def revision(connection: Connection) -> str | None:
    """The schema revision a database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(url: str) -> None:
    # Alembic is slow to import and a database at its head never needs it.
    from alembic import command
    from alembic.config import Config

    # It tells its own story at every step; one sentence of ours is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    command.upgrade(config, "head")
