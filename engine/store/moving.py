"""Moves a SQLite file to an empty PostgreSQL: one transaction there, compared before it is committed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from engine.clock import SystemClock, iso
from engine.errors import EngineError, NotRecorded, Refused
from engine.ids import DEFAULT_TENANT
from engine.store import audit, meta, outbox, runs
from engine.store.alone import demand_schema, opened_alone
from engine.store.carrying import carry, is_empty
from engine.store.chains import broken_chains
from engine.store.database import Transaction
from engine.store.postgres import Surroundings
from engine.store.postgres_errors import is_away
from engine.store.postgres_once import over
from engine.store.postgres_url import shown_url
from engine.store.postgres_whole import NAMES, whole

_ALEMBIC: Final = "alembic_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many rows of which table were moved, and the chains that were broken before already."""

    rows: Mapping[str, int]
    broken: tuple[str, ...]


async def move(path: Path, url: str, around: Surroundings) -> Moved:
    """Move all of the file `path` to the empty PostgreSQL at `url`, open approvals included.

    Nobody writes to the file meanwhile, and it stays as it is but for a mark, with which no server
    starts on it again. The mark is made before the commit there: a crash in between leaves a file
    that says where to look, and never two databases that both go on.

    Raises:
        Refused: `not_empty`, `moved`, `not_restored` or `schema_too_old`; nothing was changed.
        Invalid: `no_database`, or `bad_text`, if PostgreSQL cannot keep a text.
        FileOwned: while a server runs on the file.
        NotRecorded: if the connection was lost at the commit. Then the mark stays.
        Unavailable: if PostgreSQL cannot be used, or either schema is too new.
    """
    with opened_alone(path) as source:
        demand_schema(source, path)
        demand_live(source, path)
        is_marked = False

        def told(target: Connection) -> Moved:
            nonlocal is_marked
            moved = _into(target, source, path, around)
            meta.put(source, meta.MOVED_TO, f"{shown_url(url)} on {iso(SystemClock().now())}")
            source.commit()
            is_marked = True
            return moved

        try:
            return await over(url, told)
        except EngineError as error:
            if is_marked and error.__cause__ is not None and is_away(error.__cause__):
                raise _unsure(url) from error
            if is_marked:
                take_back(source)
            raise


def demand_live(connection: Connection, path: Path) -> None:
    """Return if this file is the one that servers work on.

    Raises:
        Refused: `moved`, if its rows live elsewhere; `not_restored`, if it is a backup.
    """
    moved_to = meta.get(connection, meta.MOVED_TO)
    if moved_to is not None:
        raise Refused(
            f"{path} was moved to PostgreSQL at {moved_to}. Set SIGNOFF_DATABASE_URL to that "
            "database. To go on here all the same: signoff migrate --undo-move.",
            code="moved",
        )
    taken_at = meta.get(connection, meta.BACKED_UP_AT)
    if taken_at is not None:
        raise Refused(
            f"{path} is a backup of {taken_at}, and what has happened since is not in it. So that "
            "nothing is done twice, put it in place with `signoff restore`.",
            code="not_restored",
        )


def take_back(connection: Connection) -> None:
    """Let servers start on this file again."""
    meta.forget(connection, meta.MOVED_TO)
    connection.commit()


def _into(target: Connection, source: Connection, path: Path, around: Surroundings) -> Moved:
    if foreign := sorted(set(inspect(target).get_table_names()) - {*NAMES, _ALEMBIC}):
        raise _not_empty(f"it has {foreign[0]}")
    # Whoever starts on it at this moment waits, and then finds all of it there.
    with whole(target):
        if not is_empty(target):
            raise _not_empty("a Signoff has begun there")
        oldest = meta.get(target, meta.OLDEST_SCHEMA)
        meta.forget(target, *meta.keys(target))
        rows = carry(source, target)
        if oldest is not None:
            meta.put(target, meta.OLDEST_SCHEMA, oldest)
        tx = Transaction(target, SystemClock().now, around.ids, around.tokens)
        broken = tuple(broken_chains(tx))
        runs.release_all(tx)
        outbox.release_all(tx)
        told = {"from": path.name, "rows": sum(rows.values()), "by": "local"}
        audit.append(tx, DEFAULT_TENANT, "database.moved", told)
        target.exec_driver_sql(f"ANALYZE {', '.join(NAMES)}")
    return Moved(rows=rows, broken=broken)


def _not_empty(why: str) -> Refused:
    return Refused(
        f"That PostgreSQL is not empty: {why}. Make a database for this, with `createdb`; nothing "
        "was moved.",
        code="not_empty",
    )


def _unsure(url: str) -> NotRecorded:
    return NotRecorded(
        f"The connection was lost at the last moment, and {shown_url(url)} may hold everything or "
        "nothing. Look there. If it is empty: signoff migrate --undo-move, and move again."
    )
