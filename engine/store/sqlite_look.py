"""What can be seen of a SQLite file from outside, without changing it or owning it."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from engine.store.migrations import HEAD, revision
from engine.store.migrations.marks import check
from engine.store.sqlite_errors import unopened


def schema_of(path: Path) -> str | None:
    """The schema of the file `path`; None where there is none yet.

    Raises:
        Unavailable: if it is damaged, no database, or its schema is not ours or too new.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)

    database = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    try:
        with database.connect() as connection:
            found = revision(connection)
            check(connection, found, head=HEAD)
    except SQLAlchemyError as error:
        raise unopened(error, path) from error
    finally:
        database.dispose()
    return found
