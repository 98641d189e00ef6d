"""What time does to an approval: each rung of its ladder fires once, whichever worker gets there first."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from engine.errors import AlreadyDecided, EngineError
from engine.rules.ladder import Rung, Verb
from engine.rules.states import ApprovalStatus
from engine.store import (
    announcements,
    approvals,
    electorates,
    eligibility,
    endings,
    journal,
    timers,
)
from engine.store.approvals import ApprovalChanges, ApprovalRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.timers import DueTimer

log = structlog.get_logger("engine.services")

BROKEN = (EngineError, LookupError, TypeError, ValueError)  # what a damaged row makes us raise
MENDING = timedelta(minutes=1)
BATCH_MAX = 50  # timers fired in one deed: bounds how long the writer is held by them


def fire_due(tx: Transaction) -> int:
    """Fire the due rungs, oldest first, at most `BATCH_MAX` of them; says how many there were.

    A rung and all that it causes are one transaction: after a crash it has fired with its
    consequences, or it is still due. One that cannot fire is tried again later and holds up no other.
    """
    due = timers.take_due(tx, limit=BATCH_MAX)
    for timer in due:
        tx.act_for(timer.tenant)
        try:
            with tx.apart():
                _fire(tx, timer)
        except BROKEN:
            log.exception("rung.not_fired", approval=timer.approval, rung=timer.rung)
            timers.postpone(tx, timer, by=MENDING)
    return len(due)


def _fire(tx: Transaction, timer: DueTimer) -> None:
    row = approvals.get(tx, timer.tenant, timer.approval, lock=True)
    if row.status is not ApprovalStatus.OPEN:
        return
    rung = row.ladder[timer.rung]
    fired = NewEntry(
        kind="rung.fired",
        path=row.path,
        data={"approval": row.id, "rung": timer.rung, "text": rung.text},
    )
    match rung.verb:
        case Verb.REMIND | Verb.HOLD:
            journal.append(tx, row.run, [fired])
            note = "still open" if rung.verb is Verb.REMIND else "held until somebody decides"
            announcements.announce(tx, row, "approval.reminded", data={"note": note})
        case Verb.WIDEN | Verb.ESCALATE:
            _widen(tx, row, rung, fired)
        case Verb.REJECT | Verb.ROLLBACK:
            _end(tx, row, rung, fired, ApprovalStatus.EXPIRED, {})
        case Verb.CONTINUE:
            _end(tx, row, rung, fired, ApprovalStatus.EXPIRED, rung.changes or {})
        case Verb.APPROVE:
            _end(tx, row, rung, fired, ApprovalStatus.APPROVED, {})


def _widen(tx: Transaction, row: ApprovalRow, rung: Rung, fired: NewEntry) -> None:
    wider = replace(row, widened=(*row.widened, *rung.to))
    texts = json.dumps([str(approver) for approver in wider.widened])
    approvals.change_open(tx, row.id, row.version, ApprovalChanges(widened=texts))
    journal.append(tx, row.run, [fired])
    requester = eligibility.requesting_person(row.requester)
    added = electorates.resolve(tx, row.tenant, rung.to, requester=requester, strict=False)
    announcements.post(tx, wider, lambda: added - row.excluded)
    announcements.announce(
        tx, wider, "approval.reminded", data={"note": f"{rung.verb}d to more people"}
    )


def _end(
    tx: Transaction,
    row: ApprovalRow,
    rung: Rung,
    fired: NewEntry,
    status: ApprovalStatus,
    changes: Mapping[str, object],
) -> None:
    outcome = {Verb.CONTINUE: "continued", Verb.ROLLBACK: "rollback"}.get(rung.verb, str(status))
    decision = endings.decision_of(tx, outcome, rule=f"rung: {rung.text}", changes=changes)
    try:
        endings.end(tx, row, status, decision=decision, recorded_with=[fired])
    except AlreadyDecided:
        return  # a decision of this very transaction's predecessor won; it cancelled what is left
