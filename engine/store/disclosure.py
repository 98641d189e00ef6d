"""Everything that is held on one person, as rows that they may be given: no secret, and nobody else's words."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, or_, select

from engine.clock import iso
from engine.ids import PersonId, TenantId
from engine.store import sealing
from engine.store.database import Transaction
from engine.store.tables import (
    approvals,
    audit,
    cases,
    identities,
    journal,
    keys,
    links,
    members,
    messages,
    people,
    runs,
    sessions,
    signals,
    votes,
)

Which = Callable[[Table, TenantId, PersonId], ColumnElement[bool]]


def parts() -> Sequence[str]:
    """The parts of what is held, in their order."""
    return tuple(_PARTS)


def of(
    tx: Transaction, tenant: TenantId, person: PersonId, part: str
) -> Iterator[Mapping[str, object]]:
    """The rows of one part, each as JSON with `what` it is."""
    table, columns, which = _PARTS[part]
    wanted = [table.c[name] for name in columns.split()]
    query = select(*wanted).where(which(table, tenant, person)).order_by(*table.primary_key)
    for row in tx.connection.execute(query).all():
        told = {name: _plain(name, value) for name, value in zip(columns.split(), row, strict=True)}
        yield sealing.opened(tx, tenant, {"what": part, **told})


def _own(column: str, form: str = "{}") -> Which:
    def which(table: Table, tenant: TenantId, person: PersonId) -> ColumnElement[bool]:
        return and_(table.c.tenant == tenant, table.c[column] == form.format(person))

    return which


def _mentions(table: Table, tenant: TenantId, person: PersonId) -> ColumnElement[bool]:
    named = (json.dumps(form, ensure_ascii=False) for form in (person, f"person:{person}"))
    said = or_(*(table.c.data.contains(each, autoescape=True) for each in named))
    return and_(table.c.tenant == tenant, said)


def _by(column: str) -> Which:
    def which(table: Table, tenant: TenantId, person: PersonId) -> ColumnElement[bool]:
        theirs = or_(table.c[column] == f"person:{person}", table.c.owner == person)
        return and_(table.c.tenant == tenant, theirs)

    return which


_PARTS: Final[Mapping[str, tuple[Table, str, Which]]] = {
    "person": (people, "id name email timezone hours manager is_active origin", _own("id")),
    "identity": (identities, "kind value origin", _own("person")),
    "membership": (members, "kind name origin", _own("person")),
    "session": (sessions, "kind created_at seen_at expires_at ended_at", _own("person")),
    "link": (links, "approval version revoked_at", _own("person")),
    "key": (keys, "id name scopes created_at expires_at last_used_at revoked_at", _own("owner")),
    "message": (messages, "id approval channel address state", _own("person")),
    "vote": (
        votes,
        "id approval version choice comment changes channel identified_by is_late is_current at",
        _own("person"),
    ),
    "request": (
        approvals,
        "id run action title status content opened_at ended_at",
        _own("requester", "person:{}"),
    ),
    "run": (runs, "id workflow status input created_at ended_at", _by("started_by")),
    "case": (cases, "id title status outcome opened_at", _by("opened_by")),
    "signal": (
        signals,
        "case_id id source outcome confidence meta is_current is_late received_at",
        _by("reported_by"),
    ),
    "journal": (journal, "run position kind name data at", _mentions),
    "audit": (audit, "position kind data at", _mentions),
}
_JSON: Final = frozenset({"data", "content", "input", "changes", "scopes", "meta"})


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if name in _JSON and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
