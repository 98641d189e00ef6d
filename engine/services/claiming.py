"""Claims on effects: of all who claim one under its request id one makes it, and the others get its outcome."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from engine.clock import iso
from engine.digest import same
from engine.errors import Conflict, NotFound, RequestIdConflict
from engine.rules.cases import CaseStatus
from engine.rules.receipts import ReceiptState, Standing, standing
from engine.rules.states import ApprovalStatus
from engine.store import approvals, cases, receipt_record, receipts, reconciliations, runs, switches
from engine.store.claims import Asked, check, row_of
from engine.store.database import Transaction
from engine.store.receipts import ReceiptRow

__all__ = ["Asked", "Claimed", "claim"]

OTHER: Final = "blocked:another_outcome"
NOT_HEARD: Final = {"error": "Whoever claimed it was not heard of in time."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim came to. Only where `granted` the effect may be made, and must then be ended.

    Without a `row` it was blocked then (`at`), and nothing was remembered.
    """

    granted: bool
    reason: str
    row: ReceiptRow | None = None
    at: datetime | None = None

    def to_json(self, asked: Asked) -> dict[str, object]:
        """The receipt; of what was blocked, one that is kept nowhere."""
        if self.row is not None:
            return {**self.row.to_json(self.reason), "request_id": asked.request_id}
        told = {"request_id": asked.request_id, "namespace": asked.namespace}
        what = {"action": asked.action, "payload": asked.payload}
        when = {} if self.at is None else {"timestamp_utc": iso(self.at)}
        return {"ok": False, "state": None, "reason": self.reason, **told, **what, **when}


def claim(tx: Transaction, asked: Asked) -> Claimed:
    """Claim an effect. Of any number of claims under one request id one is granted, until it has failed
    without an effect; all others get what became of it, or that it is in progress, or unknown.

    Raises:
        Invalid: `missing_request_id`, if the request id is blank; `bad_request_id`, if it is too long.
        RequestIdConflict: if the request id, or the effect's name, came with another action or payload,
            or the approval that is required allowed another effect.
        Invalid: `bad_requires`, for a case without the outcome that it must have, or the other way
            round, and for an effect of a name of its own that requires a case.
        NotFound: if there is no such approval or case as is required.
        KillSwitchTriggered: if it would be granted, and a kill switch stands above it.
    """
    check(asked)
    switches.keep_still(tx)
    _hold(tx, asked)
    fingerprint = asked.fingerprint
    for _try in range(3):
        found = _known(tx, asked, fingerprint)
        if found is not None:
            return _again(tx, found, asked)
        if (blocked := _blocked(tx, asked)) is not None:
            return _refused(tx, asked, blocked)
        _demand_released(tx, asked)
        kind = _kind(asked)
        if (made := receipts.add_first(tx, row_of(tx, asked, fingerprint), kind=kind)) is not None:
            _settle(tx, asked, made)
            reason = "recorded" if asked.records else "claimed"
            return Claimed(granted=not asked.records, reason=reason, row=made)
    raise Conflict(f"Others claim {asked.request_id!a} at this moment; try again.", code="conflict")


def _hold(tx: Transaction, asked: Asked) -> None:
    """Lock what is required, so that of claims under any names one comes first."""
    if asked.settles is not None:
        cases.get(tx, asked.tenant, asked.settles, lock=True)
    elif asked.requires is not None:
        with suppress(NotFound):  # it may be long gone, and its effect known
            approvals.get(tx, asked.tenant, asked.requires, lock=True)


def _known(tx: Transaction, asked: Asked, fingerprint: str) -> ReceiptRow | None:
    """The locked receipt of the effect that is claimed, if there is one; a new name of it is kept.

    What is locked is always the first one's row, so that nobody waits for each other.
    """
    own = receipts.find(tx, asked.tenant, asked.namespace, asked.request_id)
    if own is not None:
        _demand_same(own, asked, fingerprint)
        first = own.same_as or own.request_id
        return receipts.find(tx, asked.tenant, asked.namespace, first, lock=True)
    found = _under_another_name(tx, asked)
    if found is None:
        return None
    _demand_same(found, asked, fingerprint)
    alias = {**row_of(tx, asked, fingerprint), "state": ReceiptState.ALIAS, "effect": None}
    alias |= {"same_as": found.request_id, "execution": found.execution, "token": None}
    alias["settles"] = None
    receipts.add_first(tx, alias, kind=receipt_record.NAMED)
    return found


def _under_another_name(tx: Transaction, asked: Asked) -> ReceiptRow | None:
    if asked.settles is not None:
        found = receipts.of_case(tx, asked.tenant, asked.settles, lock=True)
        if found is not None and found.namespace != asked.namespace:
            raise RequestIdConflict(
                f"The case {asked.settles} has its effect in the namespace {found.namespace!a}."
            )
        return found
    if asked.named is None:
        return None
    return receipts.of_effect(tx, asked.tenant, asked.namespace, asked.named, lock=True)


def _kind(asked: Asked) -> str:
    return receipt_record.RECORDED if asked.records else receipt_record.GRANTED


def _refused(tx: Transaction, asked: Asked, blocked: Claimed) -> Claimed:
    told = {"namespace": asked.namespace, "request_id": asked.request_id}
    told |= {"action": asked.action, "fingerprint": asked.fingerprint}
    told |= {"requires": str(asked.requires), "by": asked.by}
    receipt_record.refuse(tx, asked.tenant, told, reason=blocked.reason)
    return replace(blocked, at=tx.now)


def _settle(tx: Transaction, asked: Asked, row: ReceiptRow) -> None:
    if asked.records and row.settles is not None:
        reconciliations.settle(tx, asked.tenant, row.settles, row.execution, by=asked.by)


def _demand_same(row: ReceiptRow, asked: Asked, fingerprint: str) -> None:
    if not same(row.fingerprint, fingerprint):
        raise RequestIdConflict(
            f"The request id {asked.request_id!a} stands for another effect: {row.action!a} with "
            "another payload. A new effect needs a new request id."
        )


def _again(tx: Transaction, row: ReceiptRow, asked: Asked) -> Claimed:
    is_own = row.token is not None and same(row.token, asked.token)
    if row.state is ReceiptState.CLAIMED and is_own and not asked.records:
        return Claimed(granted=True, reason="claimed", row=row)  # its answer was lost
    is_over = row.lease_expires_at is not None and row.lease_expires_at <= tx.now
    match standing(row.state, is_over=is_over):
        case Standing.REPEATED:
            is_alias = row.request_id != asked.request_id
            reason = "already_settled" if is_alias else "dedup_same_request_id"
            return Claimed(granted=False, reason=reason, row=row)
        case Standing.IN_PROGRESS:
            return Claimed(granted=False, reason="in_progress", row=row)
        case Standing.UNKNOWN:
            return Claimed(granted=False, reason="unknown", row=receipts.doubt(tx, row, NOT_HEARD))
        case Standing.GRANTED:
            if (blocked := _blocked(tx, asked, row)) is not None:
                return _refused(tx, asked, blocked)
            _demand_released(tx, asked)
            return _granted_anew(tx, row, asked)


def _demand_released(tx: Transaction, asked: Asked) -> None:
    if not asked.records:  # what has happened may be written down at any time
        switches.demand_released_for(tx, asked.tenant, asked.by)


def _granted_anew(tx: Transaction, row: ReceiptRow, asked: Asked) -> Claimed:
    state = ReceiptState.SUCCEEDED if asked.records else ReceiptState.CLAIMED
    values: dict[str, object] = {
        "state": state,
        "token": asked.token,
        "claimed_by": asked.by,
        "attempts": row.attempts + 1,
        "lease_expires_at": None if asked.records else tx.now + asked.lease_for,
        "error": None,
        "settled_by": None,
        "reason": None,
        "spent": None,
    }
    after = receipts.put(tx, row, values, kind=_kind(asked))
    _settle(tx, asked, after)
    reason = "recorded" if asked.records else "claimed"
    return Claimed(granted=not asked.records, reason=reason, row=after)


def _blocked(tx: Transaction, asked: Asked, row: ReceiptRow | None = None) -> Claimed | None:
    """That the approval is not given, or the case not final; None where the effect, whose receipt is
    `row` if it has one, may be made.
    """
    if asked.requires is None:
        return None
    if asked.settles is not None:
        case = cases.get(tx, asked.tenant, asked.settles)
        if case.status is not CaseStatus.FINAL:
            return Claimed(granted=False, reason=f"blocked:{case.status}")
        return None if case.outcome == asked.outcome else Claimed(granted=False, reason=OTHER)
    approval = approvals.get(tx, asked.tenant, asked.requires, lock=True)
    if approval.status is not ApprovalStatus.APPROVED:
        return Claimed(granted=False, reason=f"blocked:{approval.status}")
    if runs.get(tx, asked.tenant, approval.run).sandbox is not None:
        return Claimed(granted=False, reason="blocked:sandbox")  # who agreed was told so
    used = receipts.of_approval(tx, asked.tenant, asked.requires)
    if used is not None and (row is None or used.execution != row.execution):
        raise RequestIdConflict(
            f"The approval {asked.requires} has its effect: {used.request_id!a} in the namespace "
            f"{used.namespace!a}. One approval allows one effect; ask for another."
        )
    return None
