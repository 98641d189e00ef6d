"""What a person may decide among the open approvals, found by whom they ask and not one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true

from engine.ids import PersonId, TenantId
from engine.rules.approvers import ApproverKind
from engine.rules.states import ApprovalStatus
from engine.store import approvals as stored
from engine.store.approvals import ApprovalRow, Wanted
from engine.store.database import Transaction
from engine.store.eligibility import Electorates
from engine.store.tables import approvals
from engine.store.whom import whom

_NEAREST_FIRST: Final = (approvals.c.expires_at.is_(None), approvals.c.expires_at, approvals.c.id)


def page(tx: Transaction, tenant: TenantId, wanted: Wanted, person: PersonId) -> list[ApprovalRow]:
    """A page of what `person` may decide, newest first."""
    return stored.page(tx, tenant, wanted, _condition(tx, tenant, person))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """A part of one's list: those that hold `text`, behind the approval `after`, at most `limit`."""

    text: str | None = None
    after: str | None = None
    limit: int


def nearest(
    tx: Transaction, tenant: TenantId, person: PersonId, wanted: Nearest
) -> list[ApprovalRow]:
    """What `person` may decide, those with the nearest deadline first, and those without one last."""
    query = select(approvals).where(_condition(tx, tenant, person))
    if wanted.text:
        query = query.where(stored.says(tenant, wanted.text))
    if wanted.after is not None:
        query = query.where(_is_behind(tx, tenant, wanted.after))
    return stored.selected(tx, query.order_by(*_NEAREST_FIRST).limit(wanted.limit))


def count(tx: Transaction, tenant: TenantId, person: PersonId, *, most: int) -> int:
    """How many `person` may decide; `most` where they are more."""
    some = select(approvals.c.id).where(_condition(tx, tenant, person)).limit(most).subquery()
    return tx.connection.execute(select(func.count()).select_from(some)).scalar_one()


def _is_behind(tx: Transaction, tenant: TenantId, after: str) -> ColumnElement[bool]:
    """Whether an approval comes later than this one; all do where nobody knows it."""
    own = and_(approvals.c.tenant == tenant, approvals.c.id == after)
    last = tx.connection.execute(select(approvals.c.expires_at).where(own)).one_or_none()
    if last is None:
        return true()
    has_none, same_id = approvals.c.expires_at.is_(None), approvals.c.id > after
    if last.expires_at is None:
        return and_(has_none, same_id)
    at_once = and_(approvals.c.expires_at == last.expires_at, same_id)
    return or_(has_none, approvals.c.expires_at > last.expires_at, at_once)


def _condition(tx: Transaction, tenant: TenantId, person: PersonId) -> ColumnElement[bool]:
    is_open = and_(approvals.c.tenant == tenant, approvals.c.status == ApprovalStatus.OPEN)
    asks = or_(false(), *_asking(tx, is_open, person))
    # A list of names in JSON; no name holds a quotation mark.
    is_left_out = approvals.c.excluded.contains(f'"{person}"', autoescape=True)
    return and_(is_open, asks, not_(is_left_out))


def _asking(
    tx: Transaction, is_open: ColumnElement[bool], person: PersonId
) -> Iterator[ColumnElement[bool]]:
    electorates = Electorates(tx)
    meant: list[str] = []
    for key in _keys(tx, is_open):
        alike = and_(is_open, whom == key)
        example = _any(tx, alike)
        if example is None:
            continue
        asked = (*example.content.approvers, *example.widened)
        if not any(each.kind is ApproverKind.MANAGER_OF for each in asked):
            if person in electorates.pool(example):
                meant.append(key)
            continue
        # Whose manager is meant depends on who asks.
        for requester in tx.connection.execute(
            select(approvals.c.requester).where(alike).distinct()
        ).scalars():
            by_them = and_(alike, approvals.c.requester == requester)
            theirs = _any(tx, by_them)
            if theirs is not None and person in electorates.pool(theirs):
                yield and_(whom == key, approvals.c.requester == requester)
    if meant:
        yield whom.in_(meant)


def _any(tx: Transaction, which: ColumnElement[bool]) -> ApprovalRow | None:
    """One of them; None where the last was decided meanwhile."""
    return next(iter(stored.selected(tx, select(approvals).where(which).limit(1))), None)


def _keys(tx: Transaction, is_open: ColumnElement[bool]) -> list[str]:
    """Every different `whom` of the open ones: each found in the index behind the one before."""
    first = select(whom).where(is_open).order_by(whom).limit(1).scalar_subquery()
    found = select(first.label("key")).cte("found", recursive=True)
    following = (
        select(whom).where(is_open, whom > found.c.key).order_by(whom).limit(1).scalar_subquery()
    )
    every = found.union_all(select(following.correlate(found)).where(found.c.key.is_not(None)))
    rows = tx.connection.execute(select(every.c.key).where(every.c.key.is_not(None)))
    return list(rows.scalars())
