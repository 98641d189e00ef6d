"""All of a PostgreSQL database in one transaction that nobody else works beside."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text

from engine.errors import Refused, Unavailable
from engine.store.migrations import migrate_over
from engine.store.tables import metadata

NAMES: Final = sorted(table.name for table in metadata.sorted_tables)

_OTHERS: Final = text(
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() "
    "AND application_name IN ('signoff', 'signoff hints') AND pid <> pg_backend_pid()"
)
_IS_OURS: Final = text(
    "SELECT pg_catalog.pg_has_role(current_user, relowner, 'USAGE') FROM pg_catalog.pg_class "
    "WHERE oid = 'runs'::regclass"
)
_EVERYBODYS: Final = text("SELECT set_config('signoff.tenant', '*', true)")


@contextmanager
def whole(connection: Connection) -> Generator[None]:
    """Every row of every table, whosever it is, made or migrated first; others wait for the end.

    Raises:
        Refused: `not_owner`, if policies hide rows from the role that connects.
    """
    migrate_over(connection)
    if not connection.execute(_IS_OURS).scalar_one():
        raise Refused(
            "This role does not own the tables, and is shown some of the rows at most. Connect as the "
            "one that made the database.",
            code="not_owner",
        )
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(NAMES)} IN ACCESS EXCLUSIVE MODE")
    connection.execute(_EVERYBODYS)
    yield


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
