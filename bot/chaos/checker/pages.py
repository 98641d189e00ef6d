"""Reads every row of every table over plain SQL, from SQLite and PostgreSQL, to the same values."""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bot.chaos.checker.book import EPOCH, Book, Row

TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
ORPHANS: Final = "PRAGMA foreign_key_check"
CONNECT_WITHIN_S: Final = 10


def opened_book(path: Path) -> Book:
    """Everything in a SQLite file; SQLite's own checks come along as faults."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        broken = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        orphans = [tuple(row) for row in connection.execute(ORPHANS)]
        tables = {name: _rows(connection, name) for name in _names(connection)}
    faults = [line for line in broken if line != "ok"]
    faults += [f"{table} row {number} names no {parent}" for table, number, parent, _ in orphans]
    return Book(tables, tuple(faults))


def opened_pages(path: Path, *names: str) -> Book:
    """These tables of a SQLite file alone and unchecked, for whoever looks often."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return Book({name: _rows(connection, name) for name in names})


async def shared_book(url: str) -> Book:
    """Everything in a PostgreSQL database, as it was at one moment.

    Raises:
        OSError: if it cannot be reached.
    """
    async with (
        connected(url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        # Rather an error than the rows of one tenant alone.
        await connection.execute("SET LOCAL row_security = off")
        names = [row["tablename"] for row in await connection.fetch(TABLES)]
        tables = {
            name: [_plain(row) for row in await connection.fetch(f'TABLE "{name}"')]
            for name in names
        }
    return Book(tables)


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Any]:
    """A bare connection to PostgreSQL, closed with the block.

    Raises:
        OSError: if it cannot be reached.
    """
    # Only whoever keeps everything on PostgreSQL has its driver, which comes without types.
    open_one: Callable[..., Awaitable[Any]] = import_module("asyncpg").connect
    connection = await open_one(
        url,
        timeout=CONNECT_WITHIN_S,
        command_timeout=60,
        server_settings={"application_name": "signoff chaos", "timezone": "UTC"},
    )
    try:
        yield connection
    finally:
        connection.terminate()


def _names(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [row["name"] for row in connection.execute(query)]


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]


def _plain(row: Any) -> Row:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    # SQLite keeps moments as whole microseconds, and that is what the checks compare.
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    return value
