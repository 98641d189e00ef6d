"""What of the outbox is due: leased to whoever sends it, a fair share of each tenant's at a time."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from operator import lt
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, and_, bindparam, or_, select, true, update

from engine.ids import ApprovalId, DeliveryId, LeaseToken, MessageId, PersonId, TenantId
from engine.rules.wording import is_table
from engine.store import sealing, waiting
from engine.store.database import Transaction
from engine.store.outbox import UNSURE, Delivery, Shown, is_in, pending_beside
from engine.store.prepared import Prepared
from engine.store.statements import Among
from engine.store.tables import messages, outbox
from engine.store.tenants import is_awake

# Of the picture of an approval: what people approve, byte by byte.
FROZEN: Final = frozenset(
    {"action", "call", "details", "effective", "fields", "outcomes", "proposed", "title"}
)


def claim(
    tx: Transaction,
    channel: str,
    *,
    limit: int,
    lease_for: timedelta,
    resting: Collection[str] = (),
) -> list[Delivery]:
    """Lease up to `limit` due deliveries of `channel`, the longest due first, none to `resting`.

    Of one message only the earliest pending delivery is ever handed out, so that they happen in
    order. Safe to call from many processes at once: no delivery is held by two, unless a lease ran
    out; then the earlier holder's marks change nothing.
    """
    if tx.connection.dialect.name == "postgresql":
        due = waiting.due_deliveries(tx, channel, resting=resting, limit=limit)
        return _leased(tx, due, lease_for=lease_for)
    # Each tenant's longest waiting take turns, so that nobody's many hold up the few of another.
    turns: list[tuple[int, Any]] = []
    for lane in waiting.lanes(tx, channel):
        given = {"channel": channel, "tenant": lane, "limit": limit}
        turns += enumerate(_due(tx, _due_in_lane, resting, given))
    turns.sort(key=lambda turn: (turn[0], turn[1].due_at, turn[1].id))
    return _leased(tx, [row for _turn, row in turns[:limit]], lease_for=lease_for)


def claim_orphans(
    tx: Transaction, known: Collection[str], *, limit: int, lease_for: timedelta
) -> list[Delivery]:
    """As `claim`, for channels that are not among `known`."""
    if tx.is_guarded:
        rows = waiting.due_orphans(tx, known, limit=limit)
    else:
        rows = _due(tx, _due_of_nobody, known, {"limit": limit})
    return _leased(tx, rows, lease_for=lease_for)


def _due(
    tx: Transaction,
    query: Callable[[int], Prepared],
    without: Collection[str],
    given: Mapping[str, object],
) -> Sequence[Any]:
    left_out = {f"without_{index}": each for index, each in enumerate(sorted(without))}
    return query(len(without)).rows(tx, {**given, **left_out, "now": tx.now})


@lru_cache(maxsize=32)
def _due_in_lane(count: int) -> Prepared:
    lane = and_(outbox.c.channel == bindparam("channel"), outbox.c.tenant == bindparam("tenant"))
    return _due_where(lane, _is_none_of(count, outbox.c.address))


@lru_cache(maxsize=32)
def _due_of_nobody(count: int) -> Prepared:
    return _due_where(_is_none_of(count, outbox.c.channel))


def _is_none_of(count: int, column: Column[str]) -> ColumnElement[bool]:
    return and_(true(), *(column != bindparam(f"without_{index}") for index in range(count)))


def _due_where(*wanted: ColumnElement[bool]) -> Prepared:
    now: ColumnElement[Any] = bindparam("now")
    return Prepared(
        select(outbox.c.id, outbox.c.tenant, outbox.c.due_at)
        .where(
            is_in("pending"),
            outbox.c.due_at <= now,
            or_(outbox.c.lease_expires_at.is_(None), outbox.c.lease_expires_at <= now),
            *wanted,
            is_awake(outbox.c.tenant),
            ~pending_beside(lt),
        )
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True, key_share=True)
    )


def _leased(tx: Transaction, rows: Sequence[Any], *, lease_for: timedelta) -> list[Delivery]:
    taken: list[Delivery] = []
    for found in waiting.by_tenant(tx, rows):
        taken += _lease(tx, found, lease_for=lease_for)
    order = {row.id: place for place, row in enumerate(rows)}
    return sorted(taken, key=lambda each: order[each.id])


def _lease(tx: Transaction, found: Sequence[str], *, lease_for: timedelta) -> list[Delivery]:
    token, until = tx.ids.secret(), tx.now + lease_for
    _TAKE.run_all(tx, [{"delivery": each, "token": token, "until": until} for each in found])
    return [_delivery(tx, row) for row in _TAKEN.rows(tx, found)]


_OF_MESSAGE = (
    messages.c.approval,
    messages.c.person,
    messages.c.serial,
    messages.c.state,
    messages.c.ref,
    messages.c.shown,
    messages.c.left_out,
    messages.c.shown_version,
)
_TAKE = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("delivery"))
    .values(
        lease_token=bindparam("token"),
        lease_expires_at=bindparam("until"),
        attempts=outbox.c.attempts + 1,
    )
)
_TAKEN = Among(
    select(outbox, *_OF_MESSAGE)
    .outerjoin(messages, messages.c.id == outbox.c.message)
    .order_by(outbox.c.due_at, outbox.c.id),
    outbox.c.id,
)


def _delivery(tx: Transaction, row: Row[Any]) -> Delivery:
    before = None
    if row.ref is not None:
        before = Shown(
            data=json.loads(row.ref),
            shown=row.shown or "",
            version=row.shown_version,
            left_out=tuple(json.loads(row.left_out or "[]")),
        )
    return Delivery(
        id=DeliveryId(row.id),
        tenant=TenantId(row.tenant),
        message=None if row.message is None else MessageId(row.message),
        approval=None if row.approval is None else ApprovalId(row.approval),
        person=None if row.person is None else PersonId(row.person),
        serial=row.serial or 0,
        state=row.state,
        channel=row.channel,
        address=row.address,
        kind=row.kind,
        event=row.event,
        payload=_opened(tx, TenantId(row.tenant), json.loads(row.payload)),
        event_at=row.event_at,
        attempts=row.attempts,
        is_unsure=row.attempts > 1 and (row.error is None or row.error.startswith(UNSURE)),
        lease=LeaseToken(row.lease_token),
        before=before,
    )


def _opened(tx: Transaction, tenant: TenantId, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent, with what people wrote; what is asked is told as it was asked, whatever it looks like."""
    told: dict[str, Any] = sealing.opened(tx, tenant, payload)
    asked = payload.get("approval")
    if told is payload or not is_table(asked):
        return told
    frozen = {key: asked[key] for key in FROZEN if key in asked}
    return {**told, "approval": {**told["approval"], **frozen}}
