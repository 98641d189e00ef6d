"""Rows that say who somebody is: emptied when that person is erased, so that only an id is left that says nothing."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Table, and_, delete, or_, select, text, update

from engine.digest import canonical
from engine.ids import ApprovalId, PersonId, RunId, TenantId
from engine.rules.wording import is_sequence, is_table
from engine.store import sealing
from engine.store.database import Transaction
from engine.store.statements import add_new, find
from engine.store.tables import (
    approvals,
    erasures,
    idempotency,
    identities,
    links,
    members,
    messages,
    outbox,
    people,
    runs,
    sessions,
    sign_ins,
    votes,
)

NAME: Final = "[erased]"
ORIGIN: Final = "erased"
ROWS: Final = 500  # at once


class Erased(NamedTuple):
    """Who was erased, as it is kept outside the database."""

    tenant: TenantId
    person: PersonId


def erase(tx: Transaction, tenant: TenantId, person: PersonId) -> list[str]:
    """Empty every row about `person`, and destroy their keys; gives the names of these. Repeats change nothing.

    The id stays, and so do their votes, without what they wrote. What was sent stays where it went.
    """
    if tx.connection.dialect.name == "sqlite":
        tx.connection.execute(text("PRAGMA secure_delete=ON"))  # what was there is overwritten
    named, addresses = _words(tx, tenant, person)
    _forget_rows(tx, tenant, person)
    _forget_messages(tx, tenant, person, addresses)
    forgets = _forgetting(named, addresses)
    for column in (outbox.c.payload, outbox.c.error, idempotency.c.answer):
        _scrub(tx, tenant, column, [*named, *addresses], forgets)
    destroyed = sealing.destroy(tx, tenant, person)
    add_new(tx, erasures, {"tenant": tenant, "person": person, "at": tx.now})
    return destroyed


def is_erased(tx: Transaction, tenant: TenantId, person: PersonId) -> bool:
    """Whether this id was somebody's who was erased: it is nobody's for ever."""
    return bool(find(tx, erasures, {"tenant": tenant, "person": person}))


def erased(tx: Transaction, tenant: TenantId) -> list[Erased]:
    """Everybody of `tenant` who was erased."""
    rows = find(tx, erasures, {"tenant": tenant}, order_by=("person",))
    return [Erased(TenantId(row.tenant), PersonId(row.person)) for row in rows]


def spoken_for(tx: Transaction, tenant: TenantId, person: PersonId) -> list[RunId]:
    """The runs that have not ended and in which `person` voted: they still go by what was said."""
    rows = tx.connection.execute(
        select(runs.c.id)
        .join(approvals, approvals.c.run == runs.c.id)
        .join(votes, votes.c.approval == approvals.c.id)
        .where(runs.c.tenant == tenant, votes.c.person == person, runs.c.ended_at.is_(None))
        .distinct()
        .order_by(runs.c.id)
        .limit(10)
    )
    return [RunId(row[0]) for row in rows]


def voted_in(tx: Transaction, tenant: TenantId, person: PersonId) -> list[ApprovalId]:
    """The approvals on which `person` voted."""
    rows = tx.connection.execute(
        select(votes.c.approval)
        .where(votes.c.tenant == tenant, votes.c.person == person)
        .distinct()
    )
    return [ApprovalId(row[0]) for row in rows]


def _words(tx: Transaction, tenant: TenantId, person: PersonId) -> tuple[list[str], list[str]]:
    """What people call them, and where they are reached."""
    rows = find(tx, people, {"tenant": tenant, "id": person})
    known = find(tx, identities, {"tenant": tenant, "person": person})
    reached = {row.value for row in known} | {row.email for row in rows if row.email}
    names = {row.name for row in rows if row.name not in {"", NAME, person}}
    return sorted(names), sorted(reached, key=len, reverse=True)


def _forget_rows(tx: Transaction, tenant: TenantId, person: PersonId) -> None:
    nobody = {"email": None, "timezone": None, "hours": None, "manager": None, "is_active": False}
    tx.connection.execute(
        update(people)
        .where(people.c.tenant == tenant, people.c.id == person)
        .values(name=NAME, origin=ORIGIN, **nobody)
    )
    for table in (identities, members, sessions, sign_ins):
        of = and_(table.c.tenant == tenant, table.c.person == person)
        tx.connection.execute(delete(table).where(of))
    tx.connection.execute(
        update(links)
        .where(links.c.tenant == tenant, links.c.person == person, links.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )


def _forget_messages(
    tx: Transaction, tenant: TenantId, person: PersonId, addresses: Sequence[str]
) -> None:
    """What was sent to them alone is known by its own id, and what waits for them is not sent."""
    to_them = or_(messages.c.person == person, messages.c.address.in_(addresses))
    rows = tx.connection.execute(select(messages.c.id).where(messages.c.tenant == tenant, to_them))
    theirs = [row[0] for row in rows]
    for first in range(0, len(theirs), ROWS):
        some = theirs[first : first + ROWS]
        tx.connection.execute(
            update(messages)
            .where(messages.c.id.in_(some))
            .values(address="erased:" + messages.c.id, state="gone", ref=None, shown=None)
        )
        _forget_deliveries(tx, outbox.c.message.in_(some))
    if addresses:
        _forget_deliveries(tx, and_(outbox.c.tenant == tenant, outbox.c.address.in_(addresses)))


def _forget_deliveries(tx: Transaction, which: Any) -> None:
    tx.connection.execute(
        update(outbox)
        .where(which, outbox.c.status == "pending")
        .values(status="dropped", ended_at=tx.now, lease_token=None, lease_expires_at=None)
    )
    tx.connection.execute(
        update(outbox).where(which).values(address=ORIGIN, payload="{}", error=None)
    )


def _forgetting(names: Iterable[str], addresses: Iterable[str]) -> Callable[[str], str]:
    # A name is replaced where it stands alone: who is called Ana is not in a banana.
    patterns = [re.escape(each) for each in addresses]
    patterns += [rf"(?<!\w){re.escape(each)}(?!\w)" for each in names]
    if not patterns:
        return lambda said: said
    found = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda said: found.sub(NAME, said)


def _scrub(
    tx: Transaction,
    tenant: TenantId,
    column: Column[str],
    words: Sequence[str],
    forgets: Callable[[str], str],
) -> None:
    """Forget `words` in what was kept to be sent, or answered, once more."""
    if not words:
        return
    table: Table = column.table
    key = list(table.primary_key)
    says = or_(*(column.icontains(_as_kept(word), autoescape=True) for word in words))
    rows = tx.connection.execute(select(*key, column).where(table.c.tenant == tenant, says)).all()
    for *named, said in rows:
        where = and_(*(each == value for each, value in zip(key, named, strict=True)))
        tx.connection.execute(update(table).where(where).values({column: _without(said, forgets)}))


def _as_kept(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)[1:-1]


def _without(said: str, forgets: Callable[[str], str]) -> str:
    try:
        found = json.loads(said)
    except ValueError:
        return forgets(said)
    return canonical(_each(found, forgets)).decode()


def _each(value: Any, forgets: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return forgets(value)
    if is_table(value):
        return {name: _each(each, forgets) for name, each in value.items()}
    if is_sequence(value):
        return [_each(each, forgets) for each in value]
    return value
