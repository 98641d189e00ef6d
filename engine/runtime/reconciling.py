"""Signals that leave a case in dispute: people are asked which outcome holds, and their answer is taken up."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import Invalid
from engine.services import approvals, driving, signals
from engine.services.approvals import Asking
from engine.services.driving import Driven
from engine.services.signals import Said
from engine.store import cases, reconciliations
from engine.store.cases import CaseRow
from engine.store.database import Transaction
from engine.store.journal import NewEntry
from engine.store.keys import Caller
from engine.store.runs import Claim
from signoff.outcomes import ApprovalEnded

if TYPE_CHECKING:
    from engine.runtime.context import RunContext


def report(tx: Transaction, caller: Caller, case: str, said: Said) -> dict[str, object]:
    """Take a signal up, and ask people in the same transaction where that leaves them to decide.

    Where nobody could be asked, the signal counts all the same, and operators are told.

    Raises:
        NotFound, BadRule, Invalid, Conflict: as `signals.report`.
    """
    reported = signals.report(tx, caller, case, said)
    if reported.asks:
        reported = replace(reported, case=_asked(tx, reported.case))
    return reported.to_json(tx)


async def decide(context: "RunContext", claim: Claim) -> Mapping[str, object]:
    """What the run that asks does once people have answered: the case is final, or left to operators."""
    asked = claim.run.input
    with suppress(ApprovalEnded):  # what they said is read from the approval itself
        # It was opened together with the run; the approvers were frozen then.
        await context.approval(
            str(asked["title"]), action=signals.RECONCILE, approvers=str(asked["approvers"])
        )
    return await context.unwritten.write(
        lambda tx, before: _answered(tx, context.driven, str(asked["case"]), before)
    )


def _asked(tx: Transaction, row: CaseRow) -> CaseRow:
    try:
        with tx.apart():
            run, request = signals.question(tx, row)
            opened = approvals.open_for_run(tx, row.tenant, request, Asking(run=run, path="0"))
            return reconciliations.ask(tx, row, run, opened.id)
    except Invalid as error:
        return reconciliations.leave(tx, row, f"people cannot be asked: {error}")


def _answered(
    tx: Transaction, driven: Driven, case: str, before: Sequence[NewEntry]
) -> Mapping[str, object]:
    row = cases.get(tx, driven.tenant, case, lock=True)
    if before:
        driving.record(tx, driven, before)
    after = reconciliations.take_up(tx, row)
    return {"case": after.id, "status": after.status, "outcome": after.outcome}
