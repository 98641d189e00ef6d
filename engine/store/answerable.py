"""What a person may decide among the open approvals, found by whom they ask and not one by one."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true, union_all

from engine.ids import PersonId, TenantId
from engine.rules.approvers import ApproverKind
from engine.rules.states import ApprovalStatus
from engine.store import approvals as stored
from engine.store.approvals import ApprovalRow, Wanted
from engine.store.database import Transaction
from engine.store.eligibility import Electorates
from engine.store.tables import approvals
from engine.store.whom import whom

# As the index has them, so that no database sorts all of them to show the first fifty.
_NEAREST_FIRST: Final = (approvals.c.expires_at.asc().nulls_last(), approvals.c.id)
APART_MAX: Final = 32  # more kinds than these are looked through in one


def page(tx: Transaction, tenant: TenantId, wanted: Wanted, person: PersonId) -> list[ApprovalRow]:
    """A page of what `person` may decide, newest first."""
    return stored.page(tx, tenant, wanted, _mine(tx, tenant, person).whole)


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
    mine, more = _mine(tx, tenant, person), list[ColumnElement[bool]]()
    if wanted.text:
        more.append(stored.says(tenant, wanted.text))
    if wanted.after is not None:
        more.append(_is_behind(tx, tenant, wanted.after))
    query = select(approvals).order_by(*_NEAREST_FIRST).limit(wanted.limit)
    if not mine.kinds:
        return []
    if len(mine.kinds) > APART_MAX:
        return stored.selected(tx, query.where(mine.whole, *more))
    # The nearest of each kind, which its index has in order, and of these the nearest.
    some = select(approvals.c.id).order_by(*_NEAREST_FIRST).limit(wanted.limit)
    each = [some.where(mine.left, kind, *more).subquery() for kind in mine.kinds]
    ids = union_all(*(select(part.c.id) for part in each))
    return stored.selected(tx, query.where(approvals.c.id.in_(ids)))


def count(tx: Transaction, tenant: TenantId, person: PersonId, *, most: int) -> int:
    """How many `person` may decide; `most` where they are more."""
    some = select(approvals.c.id).where(_mine(tx, tenant, person).whole).limit(most).subquery()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mine:
    """The open approvals that do not leave somebody out, and of which kinds those are that ask them.

    All of one kind ask the same people.
    """

    left: ColumnElement[bool]
    keys: list[str] = field(default_factory=list[str])
    of_requesters: list[ColumnElement[bool]] = field(default_factory=list[ColumnElement[bool]])

    @property
    def kinds(self) -> list[ColumnElement[bool]]:
        return [*(whom == key for key in self.keys), *self.of_requesters]

    @property
    def whole(self) -> ColumnElement[bool]:
        alike = [whom.in_(self.keys)] if self.keys else []
        return and_(self.left, or_(false(), *alike, *self.of_requesters))


def _mine(tx: Transaction, tenant: TenantId, person: PersonId) -> _Mine:
    is_open = and_(approvals.c.tenant == tenant, approvals.c.status == ApprovalStatus.OPEN)
    # A list of names in JSON; no name holds a quotation mark.
    is_left_out = approvals.c.excluded.contains(f'"{person}"', autoescape=True)
    mine, electorates = _Mine(left=and_(is_open, not_(is_left_out))), Electorates(tx)
    for key in _keys(tx, is_open):
        alike = and_(is_open, whom == key)
        example = _any(tx, alike)
        if example is None:
            continue
        asked = (*example.content.approvers, *example.widened)
        if not any(each.kind is ApproverKind.MANAGER_OF for each in asked):
            if person in electorates.pool(example):
                mine.keys.append(key)
            continue
        # Whose manager is meant depends on who asks.
        for requester in tx.connection.execute(
            select(approvals.c.requester).where(alike).distinct()
        ).scalars():
            by_them = and_(alike, approvals.c.requester == requester)
            theirs = _any(tx, by_them)
            if theirs is not None and person in electorates.pool(theirs):
                mine.of_requesters.append(and_(whom == key, approvals.c.requester == requester))
    return mine


def _any(tx: Transaction, which: ColumnElement[bool]) -> ApprovalRow | None:
    """One of them; None where the last was decided meanwhile."""
    # In the order of the index: of any one PostgreSQL thinks that it comes soon, and reads all before it.
    first = select(approvals).where(which).order_by(*_NEAREST_FIRST).limit(1)
    return next(iter(stored.selected(tx, first)), None)


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
