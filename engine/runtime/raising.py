"""Asking for more than a budget has left, and what becomes of the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import BudgetExceeded
from engine.rules.states import RunStatus
from engine.services import approvals, driving, raises
from engine.services.approvals import Asking as Opening
from engine.services.driving import Driven
from engine.store.database import Transaction
from engine.store.journal import NewEntry, released
from engine.store.runs import Claim, RunRow
from signoff.outcomes import ApprovalEnded

if TYPE_CHECKING:
    from engine.runtime.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for more: a run or a branch of it, whose step was refused as `exceeded` says."""

    run: RunRow
    exceeded: NewEntry
    is_branch: bool


def ask_for_more(
    tx: Transaction,
    driven: Driven,
    asking: Asking,
    before: Sequence[NewEntry],
    short: BudgetExceeded,
) -> str:
    """Ask people to raise what is too little, and have the run or its branch wait; gives the approval.

    Raises:
        Invalid: if nobody could decide; nothing is kept then.
        LeaseLost: if somebody else drives the run by now.
    """
    raising, request = raises.begin(tx, asking.run, short)
    row = approvals.open_for_run(tx, driven.tenant, request, Opening(run=raising, path="0"))
    said: dict[str, object] = {"approval": row.id, "asked_in": raising}
    if asking.is_branch:
        said["to"] = RunStatus.RUNNING
    exceeded = asking.exceeded
    asked = NewEntry(kind="budget.asked", name=exceeded.name, path=exceeded.path, data=said)
    waits = None if asking.is_branch else released(ready_at=None, awaits=row.id)
    driving.record(tx, driven, [*before, exceeded, asked], waits)
    return row.id


async def decide(context: "RunContext", claim: Claim) -> Mapping[str, object]:
    """What the run that asks does once people have answered: raise the limit, or leave it."""
    asked = claim.run.input
    try:
        # It was opened together with the run; the approvers were frozen then.
        decision = await context.approval(
            str(asked["title"]), action=raises.RAISE, approvers=str(asked["approvers"])
        )
    except ApprovalEnded as ending:
        is_granted, by = False, list(ending.by)
    else:
        is_granted, by = True, list(decision.by)
    waited = await context.unwritten.write(
        lambda tx, before: _answered(tx, context.driven, claim.run, before, (is_granted, by))
    )
    return {"raised": is_granted and waited, "by": by}


def _answered(
    tx: Transaction,
    driven: Driven,
    run: RunRow,
    before: Sequence[NewEntry],
    answer: tuple[bool, list[str]],
) -> bool:
    # Done again after a crash it changes nothing: the run that waited for it waits no longer.
    is_granted, by = answer
    if before:
        driving.record(tx, driven, before)
    return raises.answer(tx, run, is_granted=is_granted, by=by)
