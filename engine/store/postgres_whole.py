"""All of a PostgreSQL database in one transaction that nobody else works beside."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text

from engine.errors import Unavailable
from engine.store.migrations import migrate_over
from engine.store.tables import metadata

NAMES: Final = sorted(table.name for table in metadata.sorted_tables)

_OTHERS: Final = text(
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() "
    "AND application_name IN ('signoff', 'signoff hints') AND pid <> pg_backend_pid()"
)
_FORCED: Final = text(
    "SELECT relname FROM pg_catalog.pg_class WHERE relforcerowsecurity "
    "AND oid = to_regclass(quote_ident(relname))"
)


@contextmanager
def whole(connection: Connection) -> Generator[None]:
    """Every row of every table, whoever's it is, made or migrated first; others wait for the end.

    Only for whoever owns the tables: policies hold for everybody again when this is committed.
    """
    migrate_over(connection)
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(NAMES)} IN ACCESS EXCLUSIVE MODE")
    forced = [row.relname for row in connection.execute(_FORCED) if row.relname in NAMES]
    for table in forced:
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in forced:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def demand_nobody(connection: Connection) -> None:
    """Return if no server, worker or terminal has this database open.

    Raises:
        Unavailable: `in_use`, otherwise.
    """
    others = connection.execute(_OTHERS).scalar_one()
    if others:
        raise Unavailable(
            "Servers or workers still have this database open. Stop all of them, and try again.",
            code="in_use",
        )
