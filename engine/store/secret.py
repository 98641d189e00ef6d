"""Which of the server's secrets comes first, as the database was last told, and what was made before that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, inspect, or_, select

from engine.clock import from_iso, iso
from engine.ids import TenantId
from engine.rules.states import TERMINAL
from engine.store import meta
from engine.store.database import Transaction
from engine.store.statements import add_new, change
from engine.store.tables import keys, runs, sessions
from engine.store.tables import meta as facts

FACT: Final = "secret"  # in `meta`: its fingerprint, and since when


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The secret that came first when this database was last begun with, and since when it does."""

    fingerprint: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """What was made before a moment, lives, and was not made anew since."""

    keys: tuple[str, ...] = ()  # by name
    sessions: int = 0
    runs: int = 0


def known(connection: Connection) -> Known | None:
    """Which secret the database was told of last; None if it was told of none yet."""
    told = meta.get(connection, FACT)
    if told is None:
        return None
    fingerprint, _, since = told.partition(" ")
    return Known(fingerprint=fingerprint, since=from_iso(since))


def known_if_made(connection: Connection) -> Known | None:
    """`known`, of a database that may have no tables yet."""
    return known(connection) if inspect(connection).has_table("meta") else None


def note(tx: Transaction) -> None:
    """Remember that this process's first secret comes first from now on."""
    told = {"value": f"{tx.tokens.fingerprint} {iso(tx.now)}"}
    if change(tx, facts, {"key": FACT}, told) == 0:
        add_new(tx, facts, {"key": FACT, **told})


def older(tx: Transaction, tenant: TenantId, since: datetime) -> Older:
    """What of `tenant` was made before `since` and may still want the secret of that time.

    Runs stand for what was sent for them: links in mails, callbacks and their signatures.
    """
    named = tx.connection.execute(
        select(keys.c.name)
        .where(
            keys.c.tenant == tenant,
            keys.c.created_at < since,
            keys.c.revoked_at.is_(None),
            or_(keys.c.expires_at.is_(None), keys.c.expires_at > tx.now),
            or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < since),
        )
        .order_by(keys.c.name)
    ).scalars()
    open_sessions = select(func.count()).where(
        sessions.c.tenant == tenant,
        sessions.c.created_at < since,
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > tx.now,
    )
    living = select(func.count()).where(
        runs.c.tenant == tenant,
        runs.c.created_at < since,
        runs.c.status.not_in([str(each) for each in TERMINAL]),
    )
    return Older(
        keys=tuple(named),
        sessions=tx.connection.execute(open_sessions).scalar_one(),
        runs=tx.connection.execute(living).scalar_one(),
    )
