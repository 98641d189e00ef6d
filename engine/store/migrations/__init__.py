"""Brings a database to the schema this version knows, by one Alembic chain for both databases.

Each migration says in `oldest` the oldest schema whose code may still work on what it leaves: one that
only adds names an earlier one, and one that takes away names itself.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from engine.store.migrations.marks import check, revision
from engine.store.sqlite_errors import unopened

__all__ = ["HEAD", "migrate", "migrate_over", "revision"]

HEAD = "0025"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('signoff:migrate', 0))")


def migrate(url: str) -> None:
    """Make or upgrade the SQLite file at `url`; at once when nothing is to be done. Forward only.

    Raises:
        Unavailable: when the database was made by a newer Signoff, which older ones may not use, or by
            another program, or the file cannot be read or written.
    """
    database = create_engine(url)
    try:
        with database.connect() as connection:
            is_behind = _is_behind(connection)
        if is_behind:
            _upgrade(url=url)
    except SQLAlchemyError as error:
        raise unopened(error, Path(url.partition(":///")[2])) from error
    finally:
        database.dispose()


def migrate_over(connection: Connection) -> None:
    """As `migrate`, over an open connection to PostgreSQL and in its transaction, all or nothing.

    Several that start at once wait for each other, and the first of them does it.
    """
    connection.execute(_LOCK)
    if _is_behind(connection):
        _upgrade(connection=connection)


def _is_behind(connection: Connection) -> bool:
    found = revision(connection)
    check(connection, found, head=HEAD)
    return found is None or found < HEAD


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
