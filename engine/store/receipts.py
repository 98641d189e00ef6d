"""Receipts as rows: one for each effect, under its request id, and one for each further name of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Row, bindparam, select, text, tuple_

from engine.clock import iso
from engine.digest import tagged_digest
from engine.ids import TenantId
from engine.rules.receipts import ReceiptState
from engine.store import artifacts, audit, notices, receipt_record, waiting
from engine.store.database import Transaction
from engine.store.prepared import Prepared
from engine.store.statements import add_new, change, find_one
from engine.store.statements import put as put_soon
from engine.store.tables import receipts
from engine.store.tenants import is_awake

log = structlog.get_logger("engine.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """One effect as stored. `token` proves the claim; `attempts` counts how often it was granted.

    `settles` is the case that it settles once it has happened, `spent` who took the permit of this claim.
    """

    tenant: TenantId
    namespace: str
    request_id: str
    execution: str
    fingerprint: str
    action: str
    payload: Any
    effect: str | None
    same_as: str | None
    approval: str | None
    state: ReceiptState
    result: Any
    artifact: str | None
    error: str | None
    claimed_by: str
    token: str | None
    lease_expires_at: datetime | None
    attempts: int
    settled_by: str | None
    reason: str | None
    settles: str | None
    spent: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

    def to_json(self, reason: str) -> dict[str, object]:
        """The receipt as everybody gets it; `reason` says why this caller got it."""
        return {
            "ok": self.state is ReceiptState.SUCCEEDED,
            "state": self.state,
            "reason": reason,
            "request_id": self.request_id,
            "namespace": self.namespace,
            "execution_id": self.execution,
            "action": self.action,
            "payload": self.payload,
            "timestamp_utc": iso(self.updated_at),
            "result": self.result,
            "artifact": self.artifact,
            "error": self.error,
            "effect": self.effect,
            "attempt": self.attempts,
            "settled_by": self.settled_by,
            "settles": self.settles,
            "spent": self.spent,
        }


def fingerprint_of(action: str, payload: object) -> str:
    """What tells an effect from every other one."""
    return tagged_digest(receipt_record.EFFECT, {"action": action, "payload": payload})


def find(
    tx: Transaction, tenant: TenantId, namespace: str, request_id: str, *, lock: bool = False
) -> ReceiptRow | None:
    """What is stored under a request id."""
    where = {"tenant": tenant, "namespace": namespace, "request_id": request_id}
    return _receipt(tx, find_one(tx, receipts, where, lock=lock))


def of_effect(
    tx: Transaction, tenant: TenantId, namespace: str, effect: str, *, lock: bool = False
) -> ReceiptRow | None:
    """The one receipt of an effect that has a name."""
    where = {"tenant": tenant, "namespace": namespace, "effect": effect}
    return _receipt(tx, find_one(tx, receipts, where, lock=lock))


def of_approval(tx: Transaction, tenant: TenantId, approval: str) -> ReceiptRow | None:
    """The one receipt of the effect that an approval allowed, in whatever namespace."""
    where = {"tenant": tenant, "approval": approval, "same_as": None}
    return _receipt(tx, find_one(tx, receipts, where))


def of_case(
    tx: Transaction, tenant: TenantId, case: str, *, lock: bool = False
) -> ReceiptRow | None:
    """The one receipt of the effect that settles a case, in whatever namespace."""
    return _receipt(tx, find_one(tx, receipts, {"tenant": tenant, "settles": case}, lock=lock))


def of_execution(
    tx: Transaction, tenant: TenantId, execution: str, *, lock: bool = False
) -> ReceiptRow | None:
    """The receipt with this execution id, under its first request id."""
    where = {"tenant": tenant, "execution": execution, "same_as": None}
    return _receipt(tx, find_one(tx, receipts, where, lock=lock))


def add_first(tx: Transaction, row: Mapping[str, object], *, kind: str) -> ReceiptRow | None:
    """Store a receipt, and put it on record as an entry of `kind`; None, if its request id or effect has one."""
    if not add_new(tx, receipts, row):
        return None
    name = (str(row["namespace"]), str(row["request_id"]))
    return _tell(tx, TenantId(str(row["tenant"])), name, kind)


def put(tx: Transaction, row: ReceiptRow, values: Mapping[str, object], *, kind: str) -> ReceiptRow:
    """Change the locked `row`, and put that on record as an entry of `kind`; gives it as it is now."""
    where = {"tenant": row.tenant, "namespace": row.namespace, "request_id": row.request_id}
    change(tx, receipts, where, {**values, "updated_at": tx.now})
    return _tell(tx, row.tenant, (row.namespace, row.request_id), kind) or row


def doubt(tx: Transaction, row: ReceiptRow, values: Mapping[str, object]) -> ReceiptRow:
    """Say that nobody knows whether the effect happened, and tell the operators unless they were told."""
    if row.state is ReceiptState.UNKNOWN:
        return row
    values = {**values, "state": ReceiptState.UNKNOWN, "lease_expires_at": None}
    after = put(tx, row, values, kind=receipt_record.DOUBTED)
    told = notices.Notice(
        event="effect.unknown",
        title=f"Nobody knows whether {row.action} happened",
        text=(
            f"Request {row.request_id} was claimed by {row.claimed_by}, who did not say how it ended. "
            f"Look whether it happened, then say so: `signoff receipts settle {row.execution} "
            "--happened --reason …` or `--did-not-happen`."
        ),
        path="/runs",
    )
    notices.tell_operators(tx, row.tenant, told)
    log.error("receipt.unknown", execution=row.execution, action=row.action)
    return after


def take_lapsed(tx: Transaction, *, limit: int) -> list[tuple[TenantId, str]]:
    """Up to `limit` effects of active tenants whose claim is over, the first ones, locked; by their tenants.

    One that somebody is just settling is left for the next look.
    """
    given = {"now": tx.now, "limit": limit}
    rows = waiting.lapsed_claims(tx, limit=limit) if tx.is_guarded else _LAPSED.rows(tx, given)
    # In one order for all, since each tenant's audit is written by one deed at a time.
    return sorted((TenantId(row.tenant), row.execution) for row in rows)


# The state is spelled into the statement: a partial index is not used for a bound parameter.
_LAPSED: Final = Prepared(
    select(receipts.c.execution, receipts.c.tenant)
    .where(
        text("state = 'claimed'"),
        receipts.c.lease_expires_at <= bindparam("now"),
        is_awake(receipts.c.tenant),
    )
    .order_by(receipts.c.lease_expires_at, receipts.c.execution)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, key_share=True)
)


def page(
    tx: Transaction,
    tenant: TenantId,
    *,
    state: str | None,
    before: str | None,
    limit: int,
) -> list[ReceiptRow]:
    """Receipts, newest first, without the further names of effects."""
    wanted = select(receipts).where(receipts.c.tenant == tenant, receipts.c.same_as.is_(None))
    if state is not None:
        wanted = wanted.where(receipts.c.state == state)
    if before is not None and (last := of_execution(tx, tenant, before)) is not None:
        key = tuple_(receipts.c.created_at, receipts.c.execution)
        wanted = wanted.where(key < tuple_(last.created_at, last.execution))
    newest = wanted.order_by(receipts.c.created_at.desc(), receipts.c.execution.desc())
    found = [_receipt(tx, row) for row in tx.connection.execute(newest.limit(limit))]
    return [row for row in found if row is not None]


def _tell(tx: Transaction, tenant: TenantId, name: tuple[str, str], kind: str) -> ReceiptRow | None:
    """Put what has just become of a receipt on record; gives it as it is now."""
    where = {"tenant": tenant, "namespace": name[0], "request_id": name[1]}
    row = find_one(tx, receipts, where)
    if row is not None:
        told = audit.append(tx, tenant, kind, receipt_record.told(row))
        put_soon(tx, receipts, where, {"told": told})
    return _receipt(tx, row)


def _receipt(tx: Transaction, row: Row[Any] | None) -> ReceiptRow | None:
    if row is None:
        return None
    result = row.result
    if row.artifact is not None:
        result = artifacts.get(tx, TenantId(row.tenant), row.artifact).content
    return ReceiptRow(
        tenant=TenantId(row.tenant),
        namespace=row.namespace,
        request_id=row.request_id,
        execution=row.execution,
        fingerprint=row.fingerprint,
        action=row.action,
        payload=json.loads(row.payload),
        effect=row.effect,
        same_as=row.same_as,
        approval=row.approval,
        state=ReceiptState(row.state),
        result=None if result is None else json.loads(result),
        artifact=row.artifact,
        error=row.error,
        claimed_by=row.claimed_by,
        token=row.token,
        lease_expires_at=row.lease_expires_at,
        attempts=row.attempts,
        settled_by=row.settled_by,
        reason=row.reason,
        settles=row.settles,
        spent=None if row.spent is None else json.loads(row.spent),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
