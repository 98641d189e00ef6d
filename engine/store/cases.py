"""Cases as rows: what is to be known, what is demanded of its sources, and where it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, text, tuple_

from engine.clock import iso
from engine.digest import canonical
from engine.errors import NotFound
from engine.ids import RunId, TenantId
from engine.rules.cases import WAITING, CaseStatus, Otherwise, Terms
from engine.rules.changes import change_case
from engine.store import audit, waiting
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add, change, find_one
from engine.store.tables import CASES_DUE, cases
from engine.store.tenants import is_awake


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case as stored. `asked_in` is the run that asks people, who left it `is_unanswered` or not.

    `settlement` is the execution id of the effect that settled it. `given_up` says by whom, why and
    when it was left without an outcome.
    """

    id: str
    tenant: TenantId
    terms: Terms
    approvers: str
    status: CaseStatus
    outcome: str | None
    decision: Mapping[str, Any] | None
    asked_in: RunId | None
    is_unanswered: bool
    opened_by: str
    owner: str | None
    settlement: str | None
    opened_at: datetime
    updated_at: datetime
    settled_at: datetime | None
    expires_at: datetime | None = (
        None  # None: for ever, of cases that were opened before there were deadlines
    )
    given_up: Mapping[str, Any] | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time is over and there is no outcome."""
        is_late = self.expires_at is not None and self.expires_at <= now
        return is_late and self.status in WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where a case goes with an entry, and what of it changes besides."""

    kind: str
    to: CaseStatus
    says: Mapping[str, object]
    values: Mapping[str, object]


def insert(tx: Transaction, row: CaseRow) -> None:
    """Store a new case, with the entry that says who opened it."""
    terms = row.terms
    change_case(None, "case.opened", row.status)
    stored: dict[str, object] = {
        "id": row.id,
        "tenant": row.tenant,
        "title": terms.title,
        "outcomes": canonical(list(terms.outcomes)).decode(),
        "enough": terms.enough,
        "sources": terms.sources,
        "collected": terms.collected,
        "otherwise": terms.otherwise,
        "approvers": row.approvers,
        "status": row.status,
        "is_unanswered": False,
        "opened_by": row.opened_by,
        "owner": row.owner,
        "opened_at": row.opened_at,
        "updated_at": row.updated_at,
        "expires_at": row.expires_at,
    }
    add(tx, cases, [stored])
    said: dict[str, object] = {"case": row.id, "title": terms.title}
    said |= {"outcomes": list(terms.outcomes), "collected": terms.collected}
    said |= {"enough": terms.enough, "sources": terms.sources, "otherwise": terms.otherwise}
    said["expires_at"] = None if row.expires_at is None else iso(row.expires_at)
    audit.append(tx, row.tenant, "case.opened", {**said, "by": row.opened_by, "to": row.status})


def move(tx: Transaction, row: CaseRow, moved: Moved) -> CaseRow:
    """Change the locked `row`, with the one entry that says why; gives it as it is now.

    Raises:
        ImpossibleChange: if no edge of the table leads there.
    """
    change_case(row.status, moved.kind, moved.to)
    values = {**moved.values, "status": moved.to, "updated_at": tx.now}
    change(tx, cases, {"id": row.id, "tenant": row.tenant}, values)
    said = {"case": row.id, "from": row.status, "to": moved.to, **moved.says}
    audit.append(tx, row.tenant, moved.kind, said)
    return get(tx, row.tenant, row.id)


def get(tx: Transaction, tenant: TenantId, case: str, *, lock: bool = False) -> CaseRow:
    """The case. With `lock` it stays as it is until this deed has ended.

    Raises:
        NotFound: if this tenant has no such case.
    """
    row = find_one(tx, cases, {"id": case, "tenant": tenant}, lock=lock)
    if row is None:
        raise NotFound(f"There is no case {case}.")
    return _case(row)


def take_due(tx: Transaction, *, limit: int) -> list[tuple[TenantId, str]]:
    """Up to `limit` cases of active tenants whose time is over, the first ones first, locked.

    One that somebody is just changing is left for the next look.
    """
    given = {"now": tx.now, "limit": limit}
    rows = waiting.due_cases(tx, limit=limit) if tx.is_guarded else _DUE.rows(tx, given)
    return [(TenantId(row.tenant), row.id) for row in rows]


_DUE: Final = Prepared(
    select(cases.c.id, cases.c.tenant)
    .where(
        text(CASES_DUE),
        cases.c.expires_at <= bindparam("now"),
        is_awake(cases.c.tenant),
    )
    .order_by(cases.c.expires_at, cases.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, key_share=True)
)


def page(
    tx: Transaction, tenant: TenantId, *, status: str | None, before: str | None, limit: int
) -> list[CaseRow]:
    """Cases, newest first."""
    wanted = select(cases).where(cases.c.tenant == tenant)
    if status is not None:
        wanted = wanted.where(cases.c.status == status)
    if before is not None:
        at = select(cases.c.opened_at).where(cases.c.id == before, cases.c.tenant == tenant)
        key = tuple_(cases.c.opened_at, cases.c.id)
        wanted = wanted.where(key < tuple_(at.scalar_subquery(), before))
    newest = wanted.order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(limit)
    return [_case(row) for row in tx.connection.execute(newest)]


def _case(row: Row[Any]) -> CaseRow:
    return CaseRow(
        id=row.id,
        tenant=TenantId(row.tenant),
        terms=Terms(
            title=row.title,
            outcomes=tuple(json.loads(row.outcomes)),
            enough=row.enough,
            sources=row.sources,
            collected=row.collected,
            otherwise=Otherwise(row.otherwise),
        ),
        approvers=row.approvers,
        status=CaseStatus(row.status),
        outcome=row.outcome,
        decision=None if row.decision is None else json.loads(row.decision),
        asked_in=None if row.asked_in is None else RunId(row.asked_in),
        is_unanswered=row.is_unanswered,
        opened_by=row.opened_by,
        owner=row.owner,
        settlement=row.settlement,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        settled_at=row.settled_at,
        expires_at=row.expires_at,
        given_up=None if row.given_up is None else json.loads(row.given_up),
    )
