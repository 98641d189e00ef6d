"""One deed over a whole database that nobody works on meanwhile: a file, a copy of one, or a PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from engine.clock import SystemClock
from engine.ids import SystemIds
from engine.store.alone import demand_schema, opened_alone
from engine.store.database import Transaction
from engine.store.postgres_once import over
from engine.store.postgres_whole import demand_nobody, whole
from engine.tokens import Tokens

T = TypeVar("T")


def transaction_on(connection: Connection) -> Transaction:
    """What a deed is handed here. It makes no token: those belong to a server with its secret."""
    return Transaction(connection, SystemClock().now, SystemIds(), Tokens(b""))


def in_file(path: Path, deed: Callable[[Transaction], T]) -> T:
    """What `deed` gives, done to the file `path`, whole or not at all.

    Raises:
        FileOwned: while a server runs on it. Invalid: `no_database`, if it is none of ours.
        Refused: `schema_too_old`. Unavailable: `schema_too_new`.
    """
    with opened_alone(path) as connection:
        demand_schema(connection, path)
        answer = deed(transaction_on(connection))
        connection.commit()
    return answer


async def in_postgres(url: str, deed: Callable[[Transaction], T]) -> T:
    """What `deed` gives, done to the PostgreSQL at `url`, whole or not at all; its schema is made current.

    Raises:
        Unavailable: `in_use`, while servers or workers have it open; and as `over` does.
    """

    def told(connection: Connection) -> T:
        demand_nobody(connection)
        with whole(connection):
            return deed(transaction_on(connection))

    return await over(url, told)
