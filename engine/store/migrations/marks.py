"""Whose schema a database has: ours and how new, a newer one, somebody else's, or none yet."""

from sqlalchemy import Connection, inspect, text

from engine.errors import Unavailable
from engine.store import meta
from engine.store.tables import metadata

_MARK = "alembic_version"
_MARK_TABLE = (  # as Alembic makes it
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def revision(connection: Connection) -> str | None:
    """The schema revision a database is at; None when it is empty."""
    if not inspect(connection).has_table(_MARK):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check(connection: Connection, found: str | None, *, head: str) -> None:
    """Return if `found` is a revision of ours up to `head`, or a later one on which code that knows
    `head` may still work, or there is nothing at all yet.

    Raises:
        Unavailable: `schema_too_new` or `schema_unknown`; the database was left as it is.
    """
    if found is None:
        _check_is_free(connection)
    elif not (found.isdigit() and len(found) == len(head)) or int(found) == 0:
        raise Unavailable(
            f"This database has schema {found[:40]}, which no Signoff makes: it is another program's. "
            "It was left as it is; name another database.",
            code="schema_unknown",
        )
    elif found > head and head < _oldest(connection, found):
        raise Unavailable(
            f"This database has schema {found}; this Signoff knows {head}. Install the newer version.",
            code="schema_too_new",
        )


def set_revision(connection: Connection, revision: str) -> None:
    """A database that had none has the schema `revision`."""
    connection.exec_driver_sql(_MARK_TABLE)
    connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})


def set_oldest(connection: Connection, revision: str) -> None:
    """Code that knows an older schema than `revision` may work on this database no more."""
    oldest = max(revision, _oldest(connection, revision))
    meta.put(connection, meta.OLDEST_SCHEMA, oldest)


def _oldest(connection: Connection, otherwise: str) -> str:
    """The oldest schema whose code may work on this database; `otherwise` where nothing says so."""
    return meta.get(connection, meta.OLDEST_SCHEMA) or otherwise


def _check_is_free(connection: Connection) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & metadata.tables.keys())
    if taken:
        raise Unavailable(
            f"This database has a table {taken[0]} and no schema of Signoff's: it is another program's, "
            "or its table alembic_version was lost. It was left as it is; name another database, or "
            "restore a backup.",
            code="schema_unknown",
        )
