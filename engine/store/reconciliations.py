"""How a case is decided: by its sources, by the people who are asked, or by an operator; and how it is settled."""

from collections.abc import Sequence
from typing import Final

from engine.clock import iso
from engine.digest import canonical
from engine.ids import RunId, TenantId
from engine.rules.cases import WAITING, CaseStatus, Decider, parse_outcome
from engine.rules.states import ApprovalStatus
from engine.rules.wording import BadRule
from engine.store import approvals, cases, notices, signals, stopping
from engine.store.approvals import ApprovalRow
from engine.store.cases import CaseRow, Moved
from engine.store.database import Transaction

ANSWER: Final = "outcome"  # the field of the question that people may change


def finalize(
    tx: Transaction,
    row: CaseRow,
    outcome: str,
    decider: Decider,
    *,
    who: Sequence[str],
    reason: str | None = None,
) -> CaseRow:
    """Make the outcome of the locked `row` final, once and for all; `who` are the sources or people.

    Whoever is still being asked is told that it is decided.

    Raises:
        ImpossibleChange: if nobody has reported yet, or it is final already.
    """
    _withdraw(tx, row, by=decider, reason=f"The case was decided by {decider}.")
    said: dict[str, object] = {"outcome": outcome, "decided_by": decider, "who": list(who)}
    said |= {"reason": reason, "at": iso(tx.now)}
    values = {"outcome": outcome, "decision": canonical(said).decode()}
    moved = Moved(kind="case.finalized", to=CaseStatus.FINAL, says=said, values=values)
    return cases.move(tx, row, moved)


def settle(tx: Transaction, tenant: TenantId, case: str, execution: str, *, by: str) -> None:
    """Write down that the effect with this execution id, which required the outcome, happened.

    Said again it changes nothing.

    Raises:
        NotFound: if there is no such case.
        ImpossibleChange: if it is not final.
    """
    row = cases.get(tx, tenant, case, lock=True)
    if row.settlement == execution:
        return
    values = {"settlement": execution, "settled_at": tx.now}
    says = {"settlement": execution, "outcome": row.outcome, "by": by}
    moved = Moved(kind="case.settled", to=CaseStatus.SETTLED, says=says, values=values)
    cases.move(tx, row, moved)


def ask(tx: Transaction, row: CaseRow, run: RunId, approval: str) -> CaseRow:
    """Write down that people are asked about the locked `row`."""
    says = {"asked_in": run, "approval": approval}
    return cases.move(
        tx, row, Moved(kind="case.asked", to=row.status, says=says, values={"asked_in": run})
    )


def take_up(tx: Transaction, row: CaseRow) -> CaseRow:
    """The locked `row` with what people have answered, if they have; done again it changes nothing.

    Their consent makes the outcome final, unless somebody among them reported of the case once they
    were asked. Whatever else ends the question leaves it to the operators, until the time of the case
    is over.
    """
    after = _taken_up(tx, row)
    return expire(tx, after) if after.is_overdue(tx.now) else after


def expire(tx: Transaction, row: CaseRow) -> CaseRow:
    """Give the locked `row` up because its time is over, and tell the operators."""
    after = give_up(tx, row, CaseStatus.EXPIRED, by="deadline", reason="Its time is over.")
    told = notices.Notice(
        event="case.expired",
        title=f"Nothing came of it: {row.terms.title}",
        text=(
            f"The time of case {row.id} is over, and it has no outcome. What requires one is blocked for "
            "good; whoever still wants to know opens another case."
        ),
        path=f"/cases/{row.id}",
    )
    notices.tell_operators(tx, row.tenant, told)
    return after


def give_up(tx: Transaction, row: CaseRow, to: CaseStatus, *, by: str, reason: str) -> CaseRow:
    """Leave the locked `row` without an outcome, once and for all; whoever is being asked is told.

    Raises:
        ImpossibleChange: if there is an outcome, or it was given up before.
    """
    _withdraw(tx, row, by=by, reason=f"The case is {to}: {reason}")
    said = {"by": by, "reason": reason, "at": iso(tx.now)}
    values = {"given_up": canonical(said).decode()}
    return cases.move(tx, row, Moved(kind=f"case.{to}", to=to, says=said, values=values))


def _taken_up(tx: Transaction, row: CaseRow) -> CaseRow:
    question = question_of(tx, row, lock=True)
    if question is None or question.status is ApprovalStatus.OPEN or row.status not in WAITING:
        return row
    if question.status is not ApprovalStatus.APPROVED or question.decision is None:
        return leave(tx, row, f"the question ended: {question.status}")
    decision = question.decision
    reported = signals.reporters(signals.of_case(tx, row.tenant, row.id))
    if both := sorted(reported & {*decision["by"]}):
        return leave(tx, row, f"{', '.join(both)} answered, and reported of it too")
    said = {**question.content.details, **decision["changes"]}[ANSWER]
    try:
        outcome = parse_outcome(str(said), row.terms.outcomes)
    except BadRule as error:
        return leave(tx, row, str(error))
    return finalize(tx, row, outcome, Decider.PEOPLE, who=decision["by"])


def leave(tx: Transaction, row: CaseRow, why: str) -> CaseRow:
    """Leave the locked `row` to the operators, and tell them so once."""
    if row.is_unanswered:
        return row
    moved = Moved(
        kind="case.unanswered", to=row.status, says={"why": why}, values={"is_unanswered": True}
    )
    after = cases.move(tx, row, moved)
    told = notices.Notice(
        event="case.unanswered",
        title=f"Nobody decided: {row.terms.title}",
        text=(
            f"The sources of case {row.id} do not agree, and {why}. Look at it, then say which "
            f"outcome holds: `signoff cases resolve {row.id} OUTCOME --reason …`."
        ),
        path=f"/cases/{row.id}",
    )
    notices.tell_operators(tx, row.tenant, told)
    return after


def question_of(tx: Transaction, row: CaseRow, *, lock: bool = False) -> ApprovalRow | None:
    """What people are asked about the case, if they are."""
    if row.asked_in is None:
        return None
    found = approvals.of_run(tx, row.asked_in, lock=lock)
    return found[0] if found else None


def _withdraw(tx: Transaction, row: CaseRow, *, by: str, reason: str) -> None:
    question = question_of(tx, row, lock=True)
    if question is not None and question.status is ApprovalStatus.OPEN:
        how = stopping.cancelled(by=by, reason=reason)
        stopping.stop(tx, row.tenant, question.run, how)
