"""Approvals in the simulated store: opened, edited, extended, and ended by people or by time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from bot.chaos.simulation import lines, sending
from bot.chaos.simulation.memory import Memory
from bot.chaos.simulation.rows import ApprovalRow, TimerRow
from engine.clock import iso
from engine.digest import tagged_digest
from engine.errors import AlreadyDecided
from engine.ids import PersonId
from engine.rules.approvers import parse_approver
from engine.rules.changes import change_approval
from engine.rules.content import Content, Policy
from engine.rules.ladder import Rung, Verb, due, expires_at, extended, parse_ladder
from engine.rules.quorum import Quorum, freeze, parse_quorum
from engine.rules.states import ApprovalStatus
from engine.store.new_entry import NewEntry

REVIEWERS: Final = frozenset(PersonId(who) for who in ("ana", "bo", "chen"))
GROUPS: Final = {
    "finance": frozenset({PersonId("ana"), PersonId("bo")}),
    "risk": frozenset({PersonId("bo"), PersonId("chen")}),
}
ADDED: Final = PersonId("dana")
REQUESTER: Final = PersonId("zoe")
QUORUMS: Final[tuple[object, ...]] = (2, 2, "majority", "all", {"finance": 1, "risk": 1})
LADDERS: Final[tuple[tuple[str, ...], ...]] = (
    ("reject after 4h",),
    ("remind after 30m", "rollback after 4h"),
    ("widen to person:dana after 1h", "reject after 4h"),
    ('continue with {"amount": 1} after 2h',),
    ("remind after 1h", "hold after 2h"),
)
TAG: Final = "signoff/approval/v1"


@lru_cache(maxsize=256)
def rules(quorum_at: int, ladder_at: int) -> tuple[Quorum, tuple[Rung, ...]]:
    """The frozen rules of an approval, parsed as people wrote them."""
    spec = parse_quorum(QUORUMS[quorum_at])
    counts = {name: len(members) for name, members in GROUPS.items()}
    quorum = freeze(
        spec,
        eligible_count=len(REVIEWERS),
        reject_quorum=None,
        groups=counts,
        members=GROUPS,
    )
    return quorum, parse_ladder(LADDERS[ladder_at], risk="medium")


@lru_cache(maxsize=1024)
def digest_of(amount: int, quorum: Quorum) -> str:
    """The digest of what is asked: a call with this amount, under these rules."""
    content = Content(
        tenant="default",
        action="ship",
        title=f"Ship for {amount}?",
        call={"fn": "ship", "args": [amount]},
        details={"amount": amount},
        policy=Policy(quorum=quorum, ladder=()),
        approvers=tuple(parse_approver(f"person:{who}") for who in sorted(REVIEWERS)),
    )
    return tagged_digest(TAG, content.to_json())


def opened(memory: Memory, run: str, path: str, amount: int, asked: tuple[int, int]) -> NewEntry:
    """Open a new approval, or the next round of the one that was asked at `path`."""
    before = next((a for a in memory.approvals if (a.run, a.path) == (run, path)), None)
    quorum, ladder = rules(*asked)
    row = ApprovalRow(
        id=memory.new("apr") if before is None else before.id,
        run=run,
        path=path,
        version=1 if before is None else before.version + 1,
        amount=amount,
        digest=digest_of(amount, quorum),
        status=change_approval(
            None if before is None else before.status, "approval.opened", ApprovalStatus.OPEN
        ),
        quorum=quorum,
        ladder=ladder,
        widened=frozenset(),
        excluded=frozenset({REQUESTER}),
        opened_at=memory.now,
        expires_at=expires_at(memory.now, ladder),
        round=1 if before is None else before.round + 1,
    )
    memory.approvals.put(row.id, row)
    if before is None:
        memory.votes.put(row.id, ())
    _arm(memory, row, first=0)
    sending.enqueue(memory, row, "approval.opened" if before is None else "approval.edited")
    said = {"approval": row.id, "version": row.version, "digest": row.digest}
    return NewEntry(kind="approval.opened", path=path, data=said)


def decided(outcome: str, rule: str, by: Sequence[str] = ()) -> dict[str, object]:
    """A decision, and what brought it about."""
    return {"outcome": outcome, "rule": rule, "by": list(by)}


def consume(memory: Memory, row: ApprovalRow) -> None:
    """Mark the decision as used."""
    memory.approvals.put(row.id, replace(row, is_consumed=True))


def end(
    memory: Memory,
    row: ApprovalRow,
    status: ApprovalStatus,
    decision: Mapping[str, Any],
    recorded: Sequence[NewEntry] = (),
) -> None:
    """End it, wake its run, cancel its rungs and close its card.

    Raises:
        AlreadyDecided: if it ended before, or was edited since `row` was read.
    """
    now = memory.approvals[row.id]
    if now.status is not ApprovalStatus.OPEN or now.version != row.version:
        raise AlreadyDecided(f"Approval {row.id} has ended already.")
    after = change_approval(now.status, "approval.decided", status)
    decision = {**decision, "at": iso(memory.now), "amount": row.amount}
    ended = replace(now, status=after, decision=decision)
    memory.approvals.put(row.id, ended)
    _disarm(memory, row.id)
    said = {"approval": row.id, "version": row.version, "digest": row.digest, **decision}
    entry = NewEntry(kind="approval.decided", path=row.path, data=said)
    lines.wake(memory, row.run, [*recorded, entry])
    sending.enqueue(memory, ended, "approval.decided")


def edit(memory: Memory, approval: str, amount: int, by: PersonId) -> None:
    """Ask for another amount: the next version, on which nobody has voted. The editor never counts on it."""
    row = _open(memory, approval)
    after = replace(
        row,
        version=row.version + 1,
        amount=amount,
        digest=digest_of(amount, row.quorum),
        excluded=row.excluded | {by},
        status=change_approval(row.status, "approval.edited", ApprovalStatus.OPEN),
    )
    memory.approvals.put(row.id, after)
    said = {"approval": row.id, "version": after.version, "digest": after.digest, "by": by}
    _record(memory, row, "approval.edited", said)
    sending.enqueue(memory, after, "approval.edited")


def extend(memory: Memory, approval: str, by: timedelta) -> None:
    """Let every rung that has not fired come later."""
    row = _open(memory, approval)
    fired = sum(not timer.is_armed for timer in memory.timers if timer.approval == row.id)
    ladder = extended(row.ladder, by, fired=fired)
    until = expires_at(row.opened_at, ladder)
    after = replace(row, ladder=ladder, expires_at=until)
    memory.approvals.put(row.id, after)
    _arm(memory, after, first=fired)
    _record(memory, row, "approval.extended", {"approval": row.id, "version": row.version})


def _record(memory: Memory, row: ApprovalRow, kind: str, said: Mapping[str, object]) -> None:
    if memory.laws.journals_every_change:
        lines.append(memory, row.run, [NewEntry(kind=kind, path=row.path, data=said)])


def _open(memory: Memory, approval: str) -> ApprovalRow:
    row = memory.approvals[approval]
    is_late = row.expires_at is not None and memory.now >= row.expires_at
    if row.status is not ApprovalStatus.OPEN or is_late:
        raise AlreadyDecided(f"Approval {approval} has ended already.")
    return row


def fire_due(memory: Memory) -> int:
    """Fire the rungs that are due, the oldest first; says how many."""
    found = [t for t in memory.timers if t.is_armed and t.due_at <= memory.now]
    for timer in sorted(found, key=lambda each: (each.due_at, each.rung)):
        if not memory.timers[_key(timer)].is_armed:
            continue
        memory.timers.put(_key(timer), replace(timer, is_armed=False))
        row = memory.approvals[timer.approval]
        if row.status is ApprovalStatus.OPEN:
            _fire(memory, row, timer.rung)
    return len(found)


def _fire(memory: Memory, row: ApprovalRow, at: int) -> None:
    rung = row.ladder[at]
    said = {"approval": row.id, "rung": at, "text": rung.text}
    fired = NewEntry(kind="rung.fired", path=row.path, data=said)
    match rung.verb:
        case Verb.REMIND | Verb.HOLD:
            lines.append(memory, row.run, [fired])
        case Verb.WIDEN | Verb.ESCALATE:
            added = frozenset(each.value for each in rung.to)
            memory.approvals.put(row.id, replace(row, widened=row.widened | added))
            lines.append(memory, row.run, [fired])
            sending.enqueue(memory, row, "approval.updated")
        case Verb.REJECT | Verb.ROLLBACK | Verb.CONTINUE | Verb.APPROVE:
            outcome = {Verb.CONTINUE: "continued", Verb.ROLLBACK: "rollback"}.get(rung.verb)
            decision = decided(outcome or "expired", f"rung: {rung.text}")
            end(memory, row, ApprovalStatus.EXPIRED, decision, [fired])


def _arm(memory: Memory, row: ApprovalRow, *, first: int) -> None:
    for at, rung in enumerate(row.ladder):
        if at >= first:
            timer = TimerRow(approval=row.id, rung=at, due_at=due(row.opened_at, rung))
            memory.timers.put(_key(timer), timer)


def _disarm(memory: Memory, approval: str) -> None:
    for timer in list(memory.timers):
        if timer.approval == approval and timer.is_armed:
            memory.timers.put(_key(timer), replace(timer, is_armed=False))


def _key(timer: TimerRow) -> str:
    return f"{timer.approval}:{timer.rung}"


def withdraw(memory: Memory, approval: str) -> None:
    """Take the request back."""
    end(
        memory,
        _open(memory, approval),
        ApprovalStatus.CANCELLED,
        decided("cancelled", "withdrawn"),
    )
