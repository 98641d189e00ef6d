"""What measurements ask of a database: whether it is theirs, how large it is, and which process serves it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from engine.rules.states import ApprovalStatus
from engine.store.database import Transaction
from engine.store.postgres_connecting import connecting_patiently
from engine.store.postgres_errors import refusal
from engine.store.statements import add_new
from engine.store.tables import approvals, journal, messages, meta, outbox, runs

_MARK: Final = "bench"  # in `meta`: made for measurements, and nobody misses what is in it


async def may_be_filled(url: str) -> bool:
    """Whether the PostgreSQL at `url` holds nothing, or only what measurements left. Changes nothing.

    Raises:
        Unavailable: when it cannot be reached.
    """
    from sqlalchemy.ext.asyncio import create_async_engine

    creator = connecting_patiently(url, name="signoff bench")
    engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_is_theirs)
    except (DBAPIError, OSError) as error:
        raise refusal(error) from error
    finally:
        await engine.dispose()


def file_may_be_filled(path: Path) -> bool:
    """Whether the SQLite file is not there, is empty, or holds only what measurements left."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return _is_theirs(connection)
    except DBAPIError:
        return False  # whatever it is, it is no database of theirs
    finally:
        engine.dispose()


def mark(tx: Transaction) -> None:
    """Say that the database was made for measurements; again changes nothing."""
    add_new(tx, meta, {"key": _MARK, "value": "1"})


def shared_size(tx: Transaction) -> int:
    """How many bytes the shared database takes up."""
    return int(
        tx.connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    )


def server_process(tx: Transaction) -> int:
    """The number of the process that serves this connection, on the machine of the server."""
    return int(tx.connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def begun_steps(tx: Transaction) -> int:
    """How many steps said that they begin, of everybody's runs."""
    query = select(func.count()).where(journal.c.kind == "step.begun")
    return int(tx.connection.execute(query).scalar_one())


def settle(tx: Transaction) -> None:
    """Let the planner know how much there is, as a database that grew slowly would."""
    tx.connection.execute(text("ANALYZE"))


def _is_theirs(connection: Connection) -> bool:
    tables = inspect(connection).get_table_names()
    if meta.name not in tables:
        return not tables
    kept = connection.execute(meta.select().where(meta.c.key == _MARK)).first()
    return kept is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of approvals that were all due at one moment."""

    expired: int
    decided: int
    outboxed: int
    delivered: int
    runs_ended: int
    first_decided_at: datetime | None
    last_decided_at: datetime | None
    last_outboxed_at: datetime | None
    last_run_ended_at: datetime | None


def ended(tx: Transaction, due: datetime) -> Ended:
    """How those that were due at `due` ended, and when the last of them did."""
    those = approvals.c.expires_at == due
    is_expired = approvals.c.status == ApprovalStatus.EXPIRED
    expired = select(func.count()).select_from(approvals).where(those, is_expired)
    decided = (
        select(func.count(), func.min(journal.c.at), func.max(journal.c.at))
        .join(approvals, approvals.c.run == journal.c.run)
        .where(those, journal.c.kind == "approval.decided")
    )
    said = (
        select(
            func.count(),
            func.max(outbox.c.created_at),
            func.count().filter(outbox.c.status == "sent"),
        )
        .join(messages, messages.c.id == outbox.c.message)
        .join(approvals, approvals.c.id == messages.c.approval)
        .where(those, outbox.c.event == "approval.expired")
    )
    gone = (
        select(func.count(), func.max(runs.c.ended_at))
        .join(approvals, approvals.c.run == runs.c.id)
        .where(those, runs.c.ended_at.is_not(None))
    )
    count_decided, first_decided_at, last_decided_at = tx.connection.execute(decided).one()
    outboxed, last_outboxed_at, delivered = tx.connection.execute(said).one()
    runs_ended, last_run_ended_at = tx.connection.execute(gone).one()
    return Ended(
        expired=tx.connection.execute(expired).scalar_one(),
        decided=count_decided,
        outboxed=outboxed,
        delivered=delivered,
        runs_ended=runs_ended,
        first_decided_at=first_decided_at,
        last_decided_at=last_decided_at,
        last_outboxed_at=last_outboxed_at,
        last_run_ended_at=last_run_ended_at,
    )
