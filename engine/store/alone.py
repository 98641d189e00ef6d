"""A SQLite file that no server owns, opened by one process that changes it as a whole."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from engine.errors import FileOwned, Invalid, Refused, Unavailable
from engine.store.migrations import HEAD, revision
from engine.store.ownership import owned


@contextmanager
def opened_alone(path: Path) -> Generator[Connection]:
    """The file `path` on one connection, which nobody else can write to during a transaction of it.

    What the block does not commit is undone.

    Raises:
        Invalid: `no_database`, if there is no such file, or it is no database.
        FileOwned: while a server runs on it; the sentence says to stop it.
    """
    if not path.is_file():
        raise Invalid(f"There is no database {path}.", code="no_database")
    with stopped(path), connected(path) as connection:
        yield connection


@contextmanager
def stopped(path: Path) -> Generator[None]:
    """Own `path`, whether it is there or not, until the block ends.

    Raises:
        FileOwned: while a server runs on it; the sentence says to stop it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(owned(path))
        except FileOwned as refused:
            raise FileOwned(f"Stop the server first. {refused}") from None
        yield


@contextmanager
def connected(path: Path) -> Generator[Connection]:
    """One connection to a file that is this process's own; what the block does not commit is undone.

    Raises:
        Invalid: `no_database`, if it is no database.
    """
    database = create_engine(
        f"sqlite:///{path}", connect_args={"isolation_level": None}, poolclass=NullPool
    )

    @event.listens_for(database, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with database.connect() as connection:
            yield connection
    except DatabaseError as error:
        if "not a database" not in str(error.orig):
            raise
        raise Invalid(f"{path} is no SQLite database.", code="no_database") from None
    finally:
        database.dispose()


def demand_schema(connection: Connection, path: Path) -> None:
    """Return if the file has the schema of this version.

    Raises:
        Invalid: `no_database`, if it has none of ours. Refused: `schema_too_old`.
        Unavailable: `schema_too_new`.
    """
    found = revision(connection)
    if found is None:
        raise Invalid(f"{path} is no database of Signoff.", code="no_database")
    if found > HEAD:
        raise Unavailable(
            f"{path} has schema {found}; this Signoff knows {HEAD}. Install the newer version.",
            code="schema_too_new",
        )
    if found < HEAD:
        raise Refused(
            f"{path} has schema {found}, and this version {HEAD}. Back it up and run "
            "`signoff migrate` first.",
            code="schema_too_old",
        )
