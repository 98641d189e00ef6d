"""Warnings that a budget is used up so far: in the run's journal, and to operators."""

from collections.abc import Sequence

from engine.ids import RunId
from engine.rules import costs
from engine.rules.accounts import Key
from engine.rules.budget import Account
from engine.store import notices
from engine.store.budgets import BudgetRow
from engine.store.database import Transaction
from engine.store.new_entry import NewEntry


def warned(
    tx: Transaction,
    row: BudgetRow,
    key: Key,
    account: Account,
    reached: Sequence[int],
    *,
    run: RunId,
) -> list[NewEntry]:
    """An entry for each mark that the run `run` reached, and one message for the highest."""
    unit = key[2]
    spent, limit = costs.say(unit, account.spent), costs.say(unit, account.limit)
    told = notices.Notice(
        event="budget.warned",
        title=f"{reached[-1]} % of the budget of {row.scope} is spent",
        text=f"{spent} of {limit} (per {row.per}, {key[1]}) is spent, last by run {run}.",
        path="/budgets",
    )
    notices.tell_operators(tx, row.tenant, told)
    facts = {
        "budget": row.id,
        "scope": row.scope,
        "per": row.per,
        "period": key[1],
        "unit": unit.lower(),
        "spent": spent,
        "limit": limit,
    }
    return [
        NewEntry(kind="budget.warned", data={**facts, "percent": percent}) for percent in reached
    ]
