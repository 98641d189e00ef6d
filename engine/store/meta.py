"""Facts about the database as a whole, each under its own key."""

from typing import Final

from sqlalchemy import Connection, delete, insert, select

from engine.store.tables import meta

MOVED_TO: Final = "moved_to"  # of a file whose rows live elsewhere by now, and since when
BACKED_UP_AT: Final = "backed_up_at"  # of a copy that nobody has restored yet
EPOCH: Final = "epoch"  # how often this database was put back to an earlier state
OLDEST_SCHEMA: Final = "oldest_schema"  # the oldest whose code may work on this one
RESTORED_AT: Final = "restored_at"


def get(connection: Connection, key: str) -> str | None:
    """What is known under `key`."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def keys(connection: Connection) -> list[str]:
    """Under which keys something is known."""
    return list(connection.execute(select(meta.c.key)).scalars())


def put(connection: Connection, key: str, value: str) -> None:
    """Let `value` be known under `key`, in place of what was."""
    forget(connection, key)
    connection.execute(insert(meta).values(key=key, value=value))


def forget(connection: Connection, *keys: str) -> None:
    """Know nothing under `keys` any more."""
    connection.execute(delete(meta).where(meta.c.key.in_(keys)))


def epoch(connection: Connection) -> int:
    """Which life of this database it is: 1 at first, and one more after each restore."""
    return int(get(connection, EPOCH) or "1")
