"""What a driver of a run writes: each deed proves the lease, and is one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from engine.digest import canonical, tagged_digest
from engine.errors import DigestMismatch, EngineError, Fault, Refused
from engine.ids import LeaseToken, RunId, TenantId, WorkerId
from engine.rules.modifying import Changes, changed
from engine.rules.states import ApprovalStatus, RunShape, RunStatus, WaitingReason
from engine.rules.suspicion import ANYBODY, CRASHES_MAX, Tries
from engine.store import (
    approvals,
    budgets,
    going_back,
    journal,
    leases,
    messages,
    notices,
    switches,
    undoing,
)
from engine.store.announcements import SNAPSHOT_CHANNEL, announce
from engine.store.approvals import DIGEST_TAG, ApprovalRow
from engine.store.database import Transaction
from engine.store.going_back import Order
from engine.store.journal import Entry, NewEntry, RunChanges, released
from engine.store.runs import DAMAGED, Claim
from engine.store.undoing import Undo

log = structlog.get_logger("engine.services")

SNAPSHOT_TYPE = "application/json"
WAITS = frozenset({"sleep.started", "step.retry_scheduled"})  # what makes a run wait for a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """A run together with the proof that it may be driven."""

    tenant: TenantId
    run: RunId
    token: LeaseToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The decision that a step was given, and the call that it is about to make."""

    approval: str
    digest: str
    call: Mapping[str, object]


def claim(
    tx: Transaction,
    *,
    worker: WorkerId,
    workflows: Sequence[str],
    lease_for: timedelta,
    limit: int,
    tries: Tries = ANYBODY,
) -> list[Claim]:
    """Take up to `limit` ready runs. In the same transaction those that had not begun are begun, and
    those whose time is over wait no longer: from here on their code may end in any way.

    Those that were taken up too often without getting anywhere are set aside instead, and the
    operators told; they are not among the answer.
    """
    claims = leases.claim(
        tx, worker=worker, workflows=workflows, lease_for=lease_for, limit=limit, tries=tries
    )
    taken: list[Claim] = []
    counting: dict[TenantId, bool] = {}  # asked once for each tenant, and not once for each step
    begun: dict[RunId, list[Entry]] = {}
    for found in claims:
        tenant = found.run.tenant
        tx.act_for(tenant)
        if tenant not in counting:
            counting[tenant] = budgets.counts_steps(tx, tenant)
            begun |= leases.begin_each(tx, [one for one in claims if one.run.tenant == tenant])
        each = replace(found, counts_steps=True) if counting[tenant] else found
        try:
            if each.run.id in begun:
                taken.append(replace(each, entries=[*each.entries, *begun[each.run.id]]))
            elif each.run.tries > CRASHES_MAX:
                _quarantine(tx, each)
            elif (entry := _taken_up(each)) is None:
                taken.append(each)
            else:
                _shape, new = journal.append_and_give(tx, each.run.id, [entry], token=each.token)
                taken.append(replace(each, entries=[*each.entries, *new]))
        except (EngineError, *DAMAGED):
            log.exception("run.damaged", run=each.run.id)
    return taken


def record(
    tx: Transaction, driven: Driven, entries: Sequence[NewEntry], changes: RunChanges | None = None
) -> RunShape:
    """Append what the driver did or is about to do; gives what the run is now.

    Raises:
        LeaseLost: if somebody else drives the run by now, or it has ended.
        RunHeld: if it was paused and something would begin.
    """
    return journal.append(tx, driven.run, entries, token=driven.token, changes=changes)


def begin(tx: Transaction, driven: Driven, entries: Sequence[NewEntry]) -> RunShape:
    """As `record`, for the intent of what the world will see.

    Raises:
        KillSwitchTriggered: while a kill switch above the run is engaged: nothing was appended.
        LeaseLost, RunHeld: as `record`.
    """
    switches.demand_released(tx, driven.tenant, driven.run)
    return record(tx, driven, entries)


def pause_until(
    tx: Transaction, driven: Driven, entries: Sequence[NewEntry], moment: datetime
) -> None:
    """Append `entries`, give the lease back, and have the run taken up again at `moment`."""
    record(tx, driven, entries, released(ready_at=moment))


def stop(tx: Transaction, driven: Driven, entries: Sequence[NewEntry]) -> None:
    """Append `entries` and give the lease back; only a person's verb makes the run go on."""
    record(tx, driven, entries, released(ready_at=None))


def finish(
    tx: Transaction,
    driven: Driven,
    entry: NewEntry,
    *,
    before: Sequence[NewEntry] = (),
    result: object = None,
    error: object = None,
) -> None:
    """Append what came `before`, end the run with `entry` and tell every message of its approvals."""
    changes = RunChanges(
        result=None if result is None else canonical(result).decode(),
        error=None if error is None else canonical(error).decode(),
        ready_at=None,
        awaits=None,
    )
    record(tx, driven, [*before, entry], changes)
    # Receivers of webhooks follow every run; people need to hear only of what went back.
    only = None if entry.kind in {"run.rolled_back", "run.failed"} else SNAPSHOT_CHANNEL
    if messages.are_there_of(tx, driven.run):
        for row in approvals.of_run(tx, driven.run):
            announce(tx, row, entry.kind, only=only)


def dispatch(
    tx: Transaction,
    driven: Driven,
    begun: NewEntry,
    permit: Permit,
    *,
    before: Sequence[NewEntry] = (),
) -> None:
    """Begin a step behind an approval: check the decision against the very bytes, and use it up.

    Raises:
        KillSwitchTriggered: as `begin`.
        DigestMismatch: if the call or the approval is not what people approved.
        Refused: if there is no such decision, or it was used before.
        LeaseLost: as `record`.
    """
    switches.demand_released(tx, driven.tenant, driven.run)
    row = approvals.get(tx, driven.tenant, permit.approval, lock=True)
    _check_decision(row, driven, permit)
    if not approvals.consume(tx, row.id):
        raise Refused(
            f"The decision on {row.id} was used already; ask again for another step.",
            code="already_used",
        )
    consumed = NewEntry(
        kind="approval.consumed", path=begun.path, data={"approval": row.id, "digest": row.digest}
    )
    record(tx, driven, [*before, consumed, begun])


def go_back(
    tx: Transaction, driven: Driven, order: Order, *, before: Sequence[NewEntry] = ()
) -> None:
    """Begin to roll the run back, as its code, its people or its workflow's terms have it.

    Raises:
        LeaseLost: as `record`.
    """
    going_back.begin(tx, driven.tenant, driven.run, order, token=driven.token, before=before)


def go_on(tx: Transaction, driven: Driven, entry: NewEntry) -> None:
    """Append `entry`, and let the run's code go on from where it went back to."""
    record(tx, driven, [entry], released(ready_at=tx.now))
    going_back.tell(tx, driven.run)


def journal_of(tx: Transaction, driven: Driven) -> list[Entry]:
    """The run's journal as it stands."""
    return journal.entries(tx, driven.run)


def left_to_undo(entries: Sequence[Entry]) -> list[Undo]:
    """What a rollback still has to undo, newest first."""
    return undoing.plan(entries)


def stuck(tx: Transaction, driven: Driven, entries: Sequence[NewEntry]) -> None:
    """Leave the run rolling back and stuck, and tell the operators."""
    stop(tx, driven, entries)
    last = entries[-1]
    told = notices.Notice(
        event="compensation.stuck",
        title=f"Undoing {last.name} keeps failing",
        text=(
            f"Run {driven.run} is rolling back and stuck. Retry with `signoff runs retry {driven.run}`, "
            f"or leave the step as it is with `signoff runs skip {driven.run} --reason …`."
        ),
        path=f"/runs/{driven.run}",
    )
    notices.tell_operators(tx, driven.tenant, told)
    for row in approvals.of_run(tx, driven.run):
        announce(tx, row, "compensation.stuck")


def _quarantine(tx: Transaction, claim: Claim) -> None:
    """Drive the run no more: it ends whoever drives it, and others with them."""
    run = claim.run.id
    last = claim.entries[-1]
    after = f"{last.kind} {last.name or ''}".strip()
    said = f"Its worker ended {CRASHES_MAX} times while driving it, always behind {after}."
    entry = NewEntry(
        kind="run.quarantined",
        data={"crashes": CRASHES_MAX, "after": last.position, "message": said},
    )
    journal.append(tx, run, [entry], token=claim.token, changes=released(ready_at=None))
    told = notices.Notice(
        event="run.quarantined",
        title=f"A run of {claim.run.workflow} was set aside",
        text=(
            f"Run {run}: {said} Mend the cause, then let it go on with "
            f"`signoff runs release {run} --reason …`, or cancel it."
        ),
        path=f"/runs/{run}",
    )
    notices.tell_operators(tx, claim.run.tenant, told)
    log.error("run.quarantined", run=run, crashes=CRASHES_MAX, after=after)


def _taken_up(claim: Claim) -> NewEntry | None:
    """What being taken up means for the run's state, if anything."""
    if claim.run.status is RunStatus.CREATED:
        return NewEntry(kind="run.started")
    if claim.run.reason is WaitingReason.BRANCHES:
        return NewEntry(kind="branches.woken")
    if claim.run.reason is not WaitingReason.TIMER:
        return None
    waits = next((entry for entry in reversed(claim.entries) if entry.kind in WAITS), None)
    if waits is None:
        raise Fault("The run waits for a moment that its journal does not name.")
    if waits.kind == "sleep.started":
        return NewEntry(kind="sleep.ended", name=waits.name, path=waits.path)
    tried = {"attempt": waits.data["attempt"]}
    return NewEntry(kind="step.retried", name=waits.name, path=waits.path, data=tried)


def _check_decision(row: ApprovalRow, driven: Driven, permit: Permit) -> None:
    decision = row.decision or {}
    agreed = row.status is ApprovalStatus.APPROVED or decision.get("outcome") == "continued"
    if row.run != driven.run or not agreed:
        raise Refused(f"No decision on {row.id} allows this step.", code="not_approved")
    is_intact = tagged_digest(DIGEST_TAG, row.content.to_json()) == row.digest == permit.digest
    # Only what approvers may change was changed by them; a rung's default is for the code to read.
    changes: Changes = decision["changes"] if row.content.fields else {}
    effective = changed(row.content, changes)
    given_for = decision.get("effective_digest", row.digest)
    is_intact = is_intact and tagged_digest(DIGEST_TAG, effective.to_json()) == given_for
    same_call = effective.call is None or canonical(effective.call) == canonical(permit.call)
    if not (is_intact and same_call):
        raise DigestMismatch(
            f"What the step would do is not what was approved in {row.id}; nothing was done. "
            "Pass the approved call itself to run.step."
        )
