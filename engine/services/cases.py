"""Cases: opened by whoever wants to know an outcome, read, and resolved by an operator where sources disagree."""

from dataclasses import dataclass
from typing import Final

from engine.errors import Conflict, NotAllowed
from engine.ids import TenantId
from engine.rules.approvers import parse_approvers
from engine.rules.cases import (
    DECIDED,
    DEFAULT_DEADLINE,
    GIVEN_UP,
    CaseStatus,
    Decider,
    Otherwise,
    parse_deadline,
    parse_outcome,
    parse_terms,
)
from engine.store import case_pictures, cases, electorates, reconciliations
from engine.store.cases import CaseRow
from engine.store.database import Transaction
from engine.store.keys import Caller

OPERATORS: Final = "role:operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A case as written; nothing in it is trusted yet. Without `approvers` operators are asked."""

    title: str
    outcomes: object = None
    enough: object = "0.80"
    sources: object = 2
    collected: bool = False
    otherwise: object = Otherwise.PEOPLE
    approvers: object = None
    expires_after: object = DEFAULT_DEADLINE


def begin(tx: Transaction, caller: Caller, wanted: Wanted) -> dict[str, object]:
    """Open a case.

    Raises:
        BadRule: as `parse_terms`, `bad_duration` and `bad_approver`. Invalid: `unknown_approver`.
    """
    terms = parse_terms(
        wanted.title,
        outcomes=wanted.outcomes,
        enough=wanted.enough,
        sources=wanted.sources,
        collected=wanted.collected,
        otherwise=wanted.otherwise,
    )
    named = parse_approvers(wanted.approvers or OPERATORS)
    if wanted.approvers:
        electorates.resolve(tx, caller.tenant, named, requester=caller.owner, strict=True)
    row = CaseRow(
        id=tx.ids.new("cas"),
        tenant=caller.tenant,
        terms=terms,
        approvers=",".join(str(each) for each in named),
        status=CaseStatus.OPEN,
        outcome=None,
        decision=None,
        asked_in=None,
        is_unanswered=False,
        opened_by=caller.subject,
        owner=caller.owner,
        settlement=None,
        opened_at=tx.now,
        updated_at=tx.now,
        settled_at=None,
        expires_at=tx.now + parse_deadline(wanted.expires_after),
    )
    cases.insert(tx, row)
    return case_pictures.picture(tx, row)


def resolve(
    tx: Transaction, caller: Caller, case: str, outcome: str, *, reason: str
) -> dict[str, object]:
    """Say which outcome holds, on an operator's own account; said again it changes nothing.

    What people had decided by then counts before.

    Raises:
        NotFound: if there is no such case. BadRule: `unknown_outcome`, `missing_outcome`, `bad_outcome`.
        NotAllowed: `people_only`, for keys: no program decides where programs disagree.
        Conflict: `nothing_reported`; `already_final`, if another outcome is; `case_given_up`, if it has
            expired or was closed.
    """
    if caller.kind == "key":
        raise NotAllowed(
            "Where sources disagree a person decides. Sign in, or run `signoff login`.",
            code="people_only",
        )
    row = reconciliations.take_up(tx, cases.get(tx, caller.tenant, case, lock=True))
    said = parse_outcome(outcome, row.terms.outcomes)
    if row.status in DECIDED:
        if row.outcome != said:
            raise Conflict(
                f"The outcome of case {case} is final: {row.outcome}.", code="already_final"
            )
        return case_pictures.picture(tx, row)
    if row.status in GIVEN_UP:
        raise _given_up(row)
    if row.status is CaseStatus.OPEN:
        raise Conflict(f"No source has reported of case {case} yet.", code="nothing_reported")
    made = reconciliations.finalize(
        tx, row, said, Decider.OPERATOR, who=[caller.subject], reason=reason
    )
    return case_pictures.picture(tx, made)


def close(tx: Transaction, caller: Caller, case: str, *, reason: str) -> dict[str, object]:
    """Leave a case without an outcome; closed again it changes nothing.

    What people had decided by then counts before.

    Raises:
        NotFound: if there is no such case.
        Conflict: `already_final`, if there is an outcome: what requires it may be under way;
            `case_given_up`, if it has expired.
    """
    row = reconciliations.take_up(tx, cases.get(tx, caller.tenant, case, lock=True))
    if row.status in DECIDED:
        raise Conflict(
            f"Case {case} has an outcome, {row.outcome}, and what requires it may be under way.",
            code="already_final",
        )
    if row.status is CaseStatus.EXPIRED:
        raise _given_up(row)
    if row.status is not CaseStatus.CLOSED:
        row = reconciliations.give_up(tx, row, CaseStatus.CLOSED, by=caller.subject, reason=reason)
    return case_pictures.picture(tx, row)


def show(tx: Transaction, tenant: TenantId, case: str) -> dict[str, object]:
    """One case with its signals.

    Raises:
        NotFound: if this tenant has no such case.
    """
    return case_pictures.picture(tx, cases.get(tx, tenant, case))


def page(
    tx: Transaction, tenant: TenantId, *, status: str | None, before: str | None, limit: int
) -> list[dict[str, object]]:
    """Cases without their signals, newest first."""
    found = cases.page(tx, tenant, status=status, before=before, limit=limit)
    return [case_pictures.line(row) for row in found]


def _given_up(row: CaseRow) -> Conflict:
    return Conflict(
        f"Case {row.id} is {row.status} and stays without an outcome. Open another one.",
        code="case_given_up",
    )
