"""What time does to an approval: each rung of its ladder fires once, whichever worker gets there first."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import groupby
from typing import Final

import structlog

from engine.errors import EngineError
from engine.ids import ApprovalId, RunId, TenantId
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
from engine.store.announcements import News
from engine.store.approvals import ApprovalChanges, ApprovalRow
from engine.store.database import Transaction
from engine.store.endings import Ending
from engine.store.journal import NewEntry
from engine.store.timers import DueTimer

log = structlog.get_logger("engine.services")

BROKEN = (EngineError, LookupError, TypeError, ValueError)  # what a damaged row makes us raise
MENDING = timedelta(minutes=1)
# Whoever wakes up for a rung may look a hair too early: it is no rung that was looked at and not taken.
JUST_NOW: Final = timedelta(milliseconds=250)
BATCH_MAX: Final = 64  # timers that are fired together
DEED_FOR: Final = timedelta(
    milliseconds=50
)  # after it nothing more is begun: others want to write, too


def fire_due(tx: Transaction) -> int:
    """Fire the due rungs, oldest first, for about `DEED_FOR`; says how many, 0 where none is left.

    A rung and all that it causes are one transaction: after a crash it has fired with its
    consequences, or it is still due. One that cannot fire is tried again later and holds up no other.
    """
    fired, ends = 0, time.monotonic() + DEED_FOR.total_seconds()
    while due := timers.take_due(tx, limit=BATCH_MAX):
        for tenant, own in groupby(sorted(due, key=_tenant), key=_tenant):
            tx.act_for(tenant)
            for together in _rounds(own):
                _fire_all(tx, together)
        fired += len(due)
        if len(due) < BATCH_MAX or time.monotonic() >= ends:
            break
    return fired


def due_in(tx: Transaction) -> timedelta | None:
    """How long until the next rung becomes due, nothing for one that came due just now; None where none will.

    One that is due for longer was looked at and not taken: it hides no other.
    """
    moment = timers.next_due(tx, after=tx.now - JUST_NOW)
    return None if moment is None else max(moment - tx.now, timedelta(0))


def _tenant(timer: DueTimer) -> TenantId:
    return timer.tenant


def _rounds(due: Iterable[DueTimer]) -> list[list[DueTimer]]:
    """`due` in rounds in each of which an approval comes once: its rungs fire one after the other."""
    rounds: list[list[DueTimer]] = []
    before: Counter[ApprovalId] = Counter()
    for timer in due:
        if before[timer.approval] == len(rounds):
            rounds.append([])
        rounds[before[timer.approval]].append(timer)
        before[timer.approval] += 1
    return rounds


def _fire_all(tx: Transaction, due: Sequence[DueTimer]) -> None:
    """Fire these together; where that cannot be, each half of them, and put off the one that cannot."""
    try:
        with tx.apart():
            _fire(tx, due)
    except BROKEN:
        if len(due) > 1:
            half = len(due) // 2
            _fire_all(tx, due[:half])
            _fire_all(tx, due[half:])
            return
        (timer,) = due
        log.exception("rung.not_fired", approval=timer.approval, rung=timer.rung)
        timers.postpone(tx, timer, by=MENDING)


@dataclass(frozen=True, slots=True)
class _Fired:
    """What rungs amount to that change nothing, and what those do that end their approvals."""

    entries: dict[RunId, list[NewEntry]] = field(default_factory=dict[RunId, list[NewEntry]])
    news: list[News] = field(default_factory=list[News])
    endings: list[Ending] = field(default_factory=list[Ending])


def _fire(tx: Transaction, due: Sequence[DueTimer]) -> None:
    rows = approvals.several(tx, due[0].tenant, [timer.approval for timer in due], lock=True)
    all_fired = _Fired()
    for timer in due:
        row = rows[timer.approval]
        if row.status is ApprovalStatus.OPEN:
            _fire_one(tx, row, timer.rung, all_fired)
    if all_fired.entries:
        journal.append_each(tx, all_fired.entries)
        announcements.announce_each(tx, all_fired.news)
    if all_fired.endings:
        endings.end_each(tx, all_fired.endings)


def _fire_one(tx: Transaction, row: ApprovalRow, index: int, others: _Fired) -> None:
    rung = row.ladder[index]
    text = rung.text
    data = {"approval": row.id, "rung": index, "text": text}
    fired = NewEntry(kind="rung.fired", path=row.path, data=data)
    match rung.verb:
        case Verb.REMIND | Verb.HOLD:
            note = "still open" if rung.verb is Verb.REMIND else "held until somebody decides"
            others.entries.setdefault(row.run, []).append(fired)
            others.news.append(News(row=row, event="approval.reminded", data={"note": note}))
        case Verb.WIDEN | Verb.ESCALATE:
            _widen(tx, row, rung, fired)
        case Verb.REJECT | Verb.ROLLBACK | Verb.CONTINUE | Verb.APPROVE:
            others.endings.append(_ending(tx, row, rung, fired, f"rung: {text}"))


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


def _ending(tx: Transaction, row: ApprovalRow, rung: Rung, fired: NewEntry, rule: str) -> Ending:
    is_approved = rung.verb is Verb.APPROVE
    status = ApprovalStatus.APPROVED if is_approved else ApprovalStatus.EXPIRED
    outcome = {Verb.CONTINUE: "continued", Verb.ROLLBACK: "rollback"}.get(rung.verb, str(status))
    decision = endings.decision_of(tx, outcome, rule=rule, changes=rung.changes or {})
    return Ending(row=row, status=status, decision=decision, recorded_with=[fired])
