"""A case as people and programs see it: one picture for the API, the terminal and the pages."""

from collections.abc import Mapping, Sequence

from engine.clock import iso
from engine.rules.cases import say_share
from engine.store import reconciliations, signals
from engine.store.cases import CaseRow
from engine.store.database import Transaction
from engine.store.signals import SignalRow


def picture(tx: Transaction, row: CaseRow) -> dict[str, object]:
    """The case with all its signals, what they amount to, and whom people asked."""
    known = signals.of_case(tx, row.tenant, row.id)
    question = reconciliations.question_of(tx, row)
    asked = None if question is None else {"run": question.run, "approval": question.id}
    return {
        **line(row),
        "standing": _standing(row, known),
        "signals": [each.to_json() for each in known],
        "question": asked,
        "unanswered": row.is_unanswered,
    }


def line(row: CaseRow) -> dict[str, object]:
    """The case by itself, as a list shows it."""
    terms = row.terms
    return {
        "id": row.id,
        "title": terms.title,
        "status": row.status,
        "outcome": row.outcome,
        "outcomes": list(terms.outcomes),
        "enough": say_share(terms.enough),
        "sources": terms.sources,
        "collected": terms.collected,
        "otherwise": terms.otherwise,
        "approvers": row.approvers,
        "decision": row.decision,
        "settlement": row.settlement,
        "opened_by": row.opened_by,
        "opened_at": iso(row.opened_at),
        "updated_at": iso(row.updated_at),
        "settled_at": None if row.settled_at is None else iso(row.settled_at),
        "expires_at": None if row.expires_at is None else iso(row.expires_at),
        "given_up": row.given_up,
    }


def _standing(row: CaseRow, known: Sequence[SignalRow]) -> Mapping[str, object]:
    found = signals.weighed(row, known)
    return {
        "state": found.standing,
        "heard": found.heard,
        "leading": found.leading,
        "agreement": say_share(found.agreement),
        "tally": [
            {
                "outcome": each.outcome,
                "sources": list(each.sources),
                "agreement": say_share(each.weight // found.heard),
            }
            for each in found.tally
        ],
    }
