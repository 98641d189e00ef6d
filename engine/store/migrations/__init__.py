"""Brings a database to the schema this version knows, by one Alembic chain for both databases.

An empty file is given that schema at once: it is where the chain leads, as `tests/migration` sees to. Each
migration says in `oldest` the oldest schema whose code may still work on what it leaves: one that only adds
names an earlier one, and one that takes away names itself.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from engine.store.migrations.marks import check, revision, set_oldest, set_revision
from engine.store.sqlite_errors import unopened
from engine.store.tables import metadata

__all__ = ["HEAD", "migrate", "migrate_over", "revision", "upgrade"]

HEAD = "0030"
OLDEST = "0029"  # the greatest `oldest` of all migrations

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('signoff:migrate', 0))")


def migrate(url: str) -> None:
    """Make or upgrade the SQLite file at `url`; at once when nothing is to be done. Forward only.

    Raises:
        Unavailable: when the database was made by a newer Signoff, which older ones may not use, or by
            another program, or the file cannot be read or written.
    """
    # The driver begins no transaction by itself, and so none is over before its end.
    database = create_engine(url, connect_args={"isolation_level": None}, poolclass=NullPool)
    try:
        with database.connect() as connection:
            found = _checked(connection)
            if found is None:
                _make(connection)
        if found is not None and found < HEAD:
            upgrade(url=url)
    except SQLAlchemyError as error:
        raise unopened(error, Path(url.partition(":///")[2])) from error
    finally:
        database.dispose()


def migrate_over(connection: Connection) -> None:
    """As `migrate`, over an open connection to PostgreSQL and in its transaction, all or nothing.

    Several that start at once wait for each other, and the first of them does it.
    """
    connection.execute(_LOCK)
    found = _checked(connection)
    if found is None or found < HEAD:
        upgrade(connection=connection)


def _checked(connection: Connection) -> str | None:
    found = revision(connection)
    check(connection, found, head=HEAD)
    return found


def _make(connection: Connection) -> None:
    """All of the schema, or nothing of it: two dozen migrations of an empty file take a second."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    metadata.create_all(connection, checkfirst=False)
    set_oldest(connection, OLDEST)
    set_revision(connection, HEAD)
    connection.exec_driver_sql("COMMIT")


def upgrade(**where: object) -> None:
    """Run what is missing of the chain on the file at `url`, or over `connection`."""
    # Alembic is slow to import and a database at its head never needs it.
    from alembic import command
    from alembic.config import Config

    # It tells its own story at every step; one sentence of ours is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes.update(where)
    command.upgrade(config, "head")
