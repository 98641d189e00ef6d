"""Runs by the version of their workflow: which wait for code that nobody holds, and what changes them over."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select

from engine.ids import RunId, TenantId
from engine.store import presence
from engine.store.database import Transaction
from engine.store.leases import pin
from engine.store.runs import RunRow, run_of
from engine.store.tables import runs

UNCLAIMED_FOR: Final = timedelta(minutes=1)  # a run that was ready so long ago waits for something


def is_held(tx: Transaction, run: RunId) -> bool:
    """Whether somebody drives the run at this moment."""
    found = select(runs.c.id).where(
        runs.c.id == run, runs.c.lease_token.is_not(None), runs.c.lease_expires_at > tx.now
    )
    return tx.connection.execute(found).first() is not None


def of_version(
    tx: Transaction, tenant: TenantId, workflow: str, version: str, *, limit: int
) -> list[RunRow]:
    """Up to `limit` runs that began with that version and have not ended, the oldest first."""
    found = (
        select(runs)
        .where(
            runs.c.tenant == tenant,
            runs.c.workflow == workflow,
            runs.c.workflow_version == version,
            runs.c.ended_at.is_(None),
        )
        .order_by(runs.c.created_at, runs.c.id)
        .limit(limit)
    )
    return [run_of(row) for row in tx.connection.execute(found)]


def held_up(tx: Transaction, rows: Iterable[RunRow]) -> dict[RunId, str]:
    """A sentence for each of `rows` that is ready for long, and whose version no process holds."""
    waiting = [row for row in rows if row.ready_at is not None]
    if not waiting:
        return {}
    since = _since(tx)
    held = _held(tx)
    return {
        row.id: f"No process holds version {row.version} of {row.workflow}."
        for row in waiting
        if pin(row.workflow, row.version) not in held and (row.ready_at or since) <= since
    }


def versions_without_code(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many runs of each version wait for a process that holds it."""
    free = or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at <= tx.now)
    rows = tx.connection.execute(
        select(runs.c.workflow, runs.c.workflow_version, func.count())
        .where(runs.c.tenant == tenant, runs.c.ready_at <= _since(tx), free)
        .group_by(runs.c.workflow, runs.c.workflow_version)
    )
    counts = {pin(row[0], row[1]): int(row[2]) for row in rows}
    return _apart_from(counts, _held(tx)) if counts else {}


def _apart_from(counts: dict[str, int], held: Collection[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if name not in held}


def _held(tx: Transaction) -> frozenset[str]:
    return presence.known(tx, presence.WORKFLOW) - presence.gone(tx, presence.WORKFLOW)


def _since(tx: Transaction) -> datetime:
    return tx.now - UNCLAIMED_FOR
