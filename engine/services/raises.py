"""Asking people for more than a budget has left: a run of its own, whose approval raises the limit."""

from typing import Final

from engine.errors import BudgetExceeded
from engine.ids import RunId
from engine.rules import costs
from engine.store import audit, budget_questions, budgets, journal, keys, runs
from engine.store.database import Transaction
from engine.store.journal import NewEntry, RunChanges
from engine.store.requests import Request
from engine.store.runs import NewRun, RunRow

RAISE: Final = "raise-budget"  # the built-in workflow that asks for more
RAISE_VERSION: Final = "1"


def begin(tx: Transaction, run: RunRow, short: BudgetExceeded) -> tuple[RunId, Request]:
    """Begin the run that asks for `run`, and what it is to ask; its approval is opened by the caller.

    Raises:
        LookupError: if the budget is gone.
    """
    budget = budgets.get(tx, run.tenant, str(short.facts["budget"]))
    if budget is None:
        raise LookupError(f"The budget {short.facts['budget']} is gone.")
    unit, period = costs.unit_of(str(short.facts["unit"])), str(short.facts["period"])
    more = (budget.more or {}).get(unit) or _lacking(tx, short)
    title = f"Let {run.workflow} spend {costs.say(unit, more)} more?"
    asks = {
        "run": run.id,
        "budget": budget.id,
        "period": period,
        "unit": unit.lower(),
        "more": costs.to_json({unit: more}),
        "title": title,
        "approvers": budget.approvers,
    }
    raising = RunId(tx.ids.new("run"))
    new = NewRun(
        id=raising,
        tenant=run.tenant,
        workflow=RAISE,
        version=RAISE_VERSION,
        input=asks,
        started_by=run.started_by,
        owner=run.owner,
    )
    runs.begin(tx, new, is_ready=False)
    told = ("scope", "per", "period", "limit", "spent", "reserved", "asked")
    request = Request(
        title=title,
        action=RAISE,
        approvers=budget.approvers,
        details={
            "run": run.id,
            "more": costs.say(unit, more),
            **{name: short.facts[name] for name in told},
        },
        requester=f"workflow:{run.workflow}",
        excluded=run.involved | keys.makers(tx, run.tenant, [run.started_by]),
        on_reject="fail",
    )
    return raising, request


def answer(tx: Transaction, raising: RunRow, *, is_granted: bool, by: list[str]) -> bool:
    """Raise the limit in that one period, or not, and let the run that waits for it go on.

    Nothing is raised for a run that no longer waits. Says whether it waited.
    """
    asked = raising.input
    waiting = runs.get(tx, raising.tenant, RunId(str(asked["run"])), lock=True)
    question = budget_questions.unanswered(journal.entries(tx, waiting.id)).get(raising.id)
    if question is None or waiting.ended_at is not None:
        return False
    kind = "budget.raised" if is_granted else "budget.kept"
    said = {"by": by, "more": asked["more"], "budget": asked["budget"], "asked_in": raising.id}
    entry = NewEntry(kind=kind, name=question.name, path=question.path, data=said)
    wake = RunChanges(ready_at=tx.now, awaits=None)
    shape = journal.append(tx, waiting.id, [entry], changes=wake)
    if not shape.goes_on:
        runs.hold(tx, waiting.id)  # until an operator lets it go on
    if is_granted:
        ((unit, more),) = costs.parse_amounts(asked["more"]).items()
        budgets.grant(tx, (str(asked["budget"]), str(asked["period"]), unit), more)
    audit.append(tx, raising.tenant, kind, {**said, "run": waiting.id})
    return True


def _lacking(tx: Transaction, short: BudgetExceeded) -> int:
    # What is left may have grown since; what was asked for always suffices.
    unit = costs.unit_of(str(short.facts["unit"]))
    key = (str(short.facts["budget"]), str(short.facts["period"]), unit)
    found = budgets.usage(tx, key)
    asked = _amount(unit, str(short.facts["asked"]))
    if found is None:
        return asked
    return max(1, found.spent + found.reserved + asked - found.limit)


def _amount(unit: str, said: str) -> int:
    number = said.partition(" ")[0]
    return costs.parse_amounts({unit.lower(): int(number) if unit in costs.COUNTED else number})[
        unit
    ]
