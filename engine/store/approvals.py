"""Approvals as rows: what is asked in its current version, and where it stands."""

import dataclasses
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, tuple_, union_all

from engine.digest import canonical
from engine.errors import NotFound
from engine.ids import ApprovalId, PersonId, RunId, TenantId
from engine.rules.approvers import Approver
from engine.rules.content import Content
from engine.rules.ladder import Rung
from engine.rules.states import ApprovalStatus
from engine.store import repeated
from engine.store.database import Transaction
from engine.store.searching import holds
from engine.store.statements import (
    add,
    change,
    find,
    find_among,
    find_one,
    hold_one,
    put_each,
)
from engine.store.tables import approvals, keys, people, versions

DIGEST_TAG = "signoff/approval/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """One approval. `excluded` never count; `widened` are approvers that rungs have added so far."""

    id: ApprovalId
    tenant: TenantId
    run: RunId
    path: str
    status: ApprovalStatus
    version: int
    content: Content
    digest: str
    requester: str
    excluded: frozenset[PersonId]
    routing: Mapping[str, object]
    callback_url: str | None
    ladder: tuple[Rung, ...]
    widened: tuple[Approver, ...]
    decision: Mapping[str, Any] | None
    on_reject: str
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    consumed_at: datetime | None
    asked_by: str | None = None  # the caller whose open approvals it is counted among, if anybody's


class ApprovalChanges(TypedDict, total=False):
    """Columns that a deed may change."""

    status: ApprovalStatus
    decision: str
    ladder: str
    widened: str
    path: str
    opened_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    consumed_at: datetime | None


def insert_new(tx: Transaction, row: ApprovalRow) -> None:
    """Store a new approval and its first version."""
    values = _values(row)
    add(tx, approvals, [values])
    _insert_version(tx, row, str(values["content"]), edited_by=row.requester)


def insert_version(tx: Transaction, row: ApprovalRow, *, edited_by: str) -> None:
    """Keep what this version said, for ever."""
    _insert_version(tx, row, canonical(row.content.to_json()).decode(), edited_by=edited_by)


def _insert_version(tx: Transaction, row: ApprovalRow, content: str, *, edited_by: str) -> None:
    version = {
        "tenant": row.tenant,
        "approval": row.id,
        "version": row.version,
        "content": content,
        "digest": row.digest,
        "edited_by": edited_by,
        "at": tx.now,
    }
    add(tx, versions, [version])


def replace(tx: Transaction, row: ApprovalRow) -> None:
    """Store `row` over the approval of the same id: its next version, or its next round."""
    change(tx, approvals, {"id": row.id}, _values(row))


def replace_open(tx: Transaction, row: ApprovalRow, *, before: int) -> bool:
    """Store `row` over the approval if that is still open in version `before`; says whether it was."""
    where = {"id": row.id, "version": before, "status": ApprovalStatus.OPEN}
    return change(tx, approvals, where, _values(row)) == 1


def next_version(row: ApprovalRow, before: ApprovalRow) -> ApprovalRow:
    """`row` as the version that follows `before`, of the same approval."""
    return dataclasses.replace(row, id=before.id, version=before.version + 1)


def change_open(
    tx: Transaction, approval: ApprovalId, version: int, changes: ApprovalChanges
) -> bool:
    """Change the approval if it is still open in `version`; says whether it was."""
    where = {"id": approval, "version": version, "status": ApprovalStatus.OPEN}
    return change(tx, approvals, where, {**changes}) == 1


def change_each(tx: Transaction, changes: Iterable[tuple[ApprovalRow, ApprovalChanges]]) -> None:
    """Change these approvals, which this deed found open once it had locked them."""
    put_each(tx, approvals, (({"id": row.id}, {**changed}) for row, changed in changes))


def consume(tx: Transaction, approval: ApprovalId) -> bool:
    """Mark the decision as used; says whether it was not used before."""
    where = {"id": approval, "consumed_at": None}
    return change(tx, approvals, where, {"consumed_at": tx.now}) == 1


def get(tx: Transaction, tenant: TenantId, approval: str, *, lock: bool = False) -> ApprovalRow:
    """The approval. With `lock` it stays as it is until this deed has ended; whoever changes it locks it first.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    find = hold_one if lock else find_one
    row = find(tx, approvals, {"id": approval, "tenant": tenant})
    if row is None:
        raise NotFound(f"There is no approval {approval}.")
    return _approval(row)


def several(
    tx: Transaction, tenant: TenantId, wanted: Collection[ApprovalId], *, lock: bool = False
) -> dict[ApprovalId, ApprovalRow]:
    """Those of these approvals that the tenant has; `lock` as `get`, in the order of their ids."""
    # Asked for a tenant's as well, SQLite reads all that the tenant has, once there are many `wanted`.
    rows = find_among(tx, approvals, {}, among={"id": wanted}, order_by=("id",), lock=lock)
    return {ApprovalId(row.id): _approval(row) for row in rows if row.tenant == tenant}


def of_run(tx: Transaction, run: RunId, *, lock: bool = False) -> list[ApprovalRow]:
    """The run's approvals, oldest first; with `lock` they stay as they are until this deed has ended."""
    rows = find(tx, approvals, {"run": run}, order_by=("opened_at", "id"), lock=lock)
    return [_approval(row) for row in rows]


def selected(tx: Transaction, query: Select[Any]) -> list[ApprovalRow]:
    """The approvals whose columns `query` selects, in its order."""
    return [_approval(row) for row in tx.connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which approvals a page is of: those in one state, in any of several, or all.

    `text` is looked for in title, action and id, and in the requester, by name too.
    """

    status: str | tuple[str, ...] | None = None
    text: str | None = None
    before: str | None = None
    limit: int = 50


_NEWEST_FIRST = (approvals.c.opened_at.desc(), approvals.c.id.desc())


def page(
    tx: Transaction, tenant: TenantId, wanted: Wanted, *only: ColumnElement[bool]
) -> list[ApprovalRow]:
    """Up to `limit` approvals, newest first, older than the approval `before`, and `only` such."""
    query = select(approvals).where(*only).order_by(*_NEWEST_FIRST).limit(wanted.limit)
    match wanted.status:
        case ():
            return []
        case tuple() as several:
            # The newest of each state, which its index has in order, and of these the newest.
            each = [_ids(tenant, wanted, status).subquery() for status in several]
            query = query.where(approvals.c.id.in_(union_all(*(select(ids.c.id) for ids in each))))
        case status:
            query = query.where(*_conditions(tenant, wanted, status))
    return selected(tx, query)


def _ids(tenant: TenantId, wanted: Wanted, status: str) -> Select[Any]:
    newest = select(approvals.c.id).order_by(*_NEWEST_FIRST).limit(wanted.limit)
    return newest.where(*_conditions(tenant, wanted, status))


def _conditions(
    tenant: TenantId, wanted: Wanted, status: str | None
) -> Iterator[ColumnElement[bool]]:
    yield approvals.c.tenant == tenant
    if status is not None:
        yield approvals.c.status == status
    if wanted.text:
        yield says(tenant, wanted.text)
    if wanted.before is not None:
        at = select(approvals.c.opened_at).where(approvals.c.id == wanted.before).scalar_subquery()
        yield tuple_(approvals.c.opened_at, approvals.c.id) < tuple_(at, wanted.before)


def says(tenant: TenantId, text: str) -> ColumnElement[bool]:
    """Whether an approval holds `text` where a list is searched: title, action, id, and who asks."""
    persons = select("person:" + people.c.id).where(
        people.c.tenant == tenant, holds(text, people.c.name)
    )
    named = select("key:" + keys.c.id).where(keys.c.tenant == tenant, holds(text, keys.c.name))
    own = (approvals.c.title, approvals.c.action, approvals.c.id, approvals.c.requester)
    return or_(holds(text, *own), approvals.c.requester.in_(union_all(persons, named)))


def counts(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """How many approvals there are in each state."""
    rows = tx.connection.execute(
        select(approvals.c.status, func.count())
        .where(approvals.c.tenant == tenant)
        .group_by(approvals.c.status)
    )
    return {row[0]: row[1] for row in rows}


def _values(row: ApprovalRow) -> dict[str, object]:
    return {
        "id": row.id,
        "tenant": row.tenant,
        "run": row.run,
        "path": row.path,
        "status": row.status,
        "version": row.version,
        "kind": row.content.kind,
        "action": row.content.action,
        "title": row.content.title,
        "risk": row.content.policy.risk,
        "content": canonical(row.content.to_json()).decode(),
        "digest": row.digest,
        "requester": row.requester,
        "excluded": json.dumps(sorted(row.excluded)),
        "routing": canonical(row.routing).decode(),
        "callback_url": row.callback_url,
        "ladder": json.dumps([rung.text for rung in row.ladder]),
        "widened": json.dumps([str(approver) for approver in row.widened]),
        "decision": None if row.decision is None else canonical(row.decision).decode(),
        "on_reject": row.on_reject,
        "opened_at": row.opened_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "consumed_at": row.consumed_at,
        "asked_by": row.asked_by,
    }


def _approval(row: Row[Any]) -> ApprovalRow:
    return ApprovalRow(
        id=ApprovalId(row.id),
        tenant=TenantId(row.tenant),
        run=RunId(row.run),
        path=row.path,
        status=ApprovalStatus(row.status),
        version=row.version,
        content=Content.from_json(json.loads(row.content)),
        digest=row.digest,
        requester=row.requester,
        excluded=repeated.persons(row.excluded),
        routing=repeated.routing(row.routing),
        callback_url=row.callback_url,
        ladder=repeated.ladder(row.ladder),
        widened=repeated.approvers(row.widened),
        decision=None if row.decision is None else json.loads(row.decision),
        on_reject=row.on_reject,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        consumed_at=row.consumed_at,
        asked_by=row.asked_by,
    )
