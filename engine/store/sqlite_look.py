"""What can be seen of a SQLite file from outside, without changing it or owning it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from engine.store.migrations import HEAD, revision
from engine.store.migrations.marks import check
from engine.store.secret import Known, known_if_made
from engine.store.sqlite_errors import unopened

T = TypeVar("T")


def schema_of(path: Path) -> str | None:
    """The schema of the file `path`; None where there is none yet.

    Raises:
        Unavailable: if it is damaged, no database, or its schema is not ours or too new.
    """

    def told(connection: Connection) -> str | None:
        found = revision(connection)
        check(connection, found, head=HEAD)
        return found

    return _over(path, told)


def secret_of_file(path: Path) -> Known | None:
    """Which secret the file `path` was last used with; None where it was told of none yet.

    Raises:
        Unavailable: if it is damaged, or no database.
    """
    return _over(path, known_if_made)


def _over(path: Path, told: Callable[[Connection], T]) -> T:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)

    database = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    try:
        with database.connect() as connection:
            return told(connection)
    except SQLAlchemyError as error:
        raise unopened(error, path) from error
    finally:
        database.dispose()
