"""What whoever asks a budget for more than it has left is told."""

from engine.errors import BudgetExceeded
from engine.rules import costs
from engine.rules.budget import Period
from engine.store.budgets import BudgetRow, UsageRow


def short(row: BudgetRow, usage: UsageRow, *, asked: int) -> BudgetExceeded:
    """The refusal of `asked`, with what the budget allows, has spent and keeps back."""
    unit = usage.unit
    each = "" if row.per is Period.TOTAL else f" {row.per}"
    words = (
        f"The budget of {row.scope} allows {costs.say(unit, usage.limit)}{' a' + each if each else ''}: "
        f"{costs.say(unit, usage.spent)} is spent, {costs.say(unit, usage.reserved)} is kept back, and "
        f"{costs.say(unit, asked)} more was asked for."
    )
    facts = {
        "budget": row.id,
        "scope": row.scope,
        "per": row.per,
        "period": usage.period,
        "unit": unit.lower(),
        "limit": costs.say(unit, usage.limit),
        "spent": costs.say(unit, usage.spent),
        "reserved": costs.say(unit, usage.reserved),
        "asked": costs.say(unit, asked),
        "then": row.then,
    }
    return BudgetExceeded(words, facts=facts)
