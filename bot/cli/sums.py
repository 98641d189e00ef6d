"""What a run came to, in a terminal: its steps and their cost, its journal by kind, and its budgets."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.cli.shape import Shape
from bot.cli.shapes import Budget, BudgetUsage, Run


class Entries(Shape):
    """How many lines a journal has, in all and of each kind."""

    count: int
    kinds: Mapping[str, int]


class Summary(Shape):
    """What a run's journal adds up to."""

    steps: int
    cost: str | None = None
    tokens: int | None = None
    entries: Entries


def sums(run: Run) -> Iterator[tuple[str, str]]:
    """The lines of it; none of what an older server does not tell."""
    if "entries" in run.summary:
        found = Summary.model_validate(run.summary)
        yield "in all", _amounts(found)
        yield "journal", _kinds(found.entries)
    for limit in _limits(run.budget):
        for each in limit.usage:
            yield "budget", f"{limit.scope} per {limit.per}: {_share(each)}"


def _amounts(found: Summary) -> str:
    steps = "1 step finished" if found.steps == 1 else f"{found.steps} steps finished"
    tokens = None if found.tokens is None else f"{found.tokens} tokens"
    return ", ".join(filter(None, (steps, found.cost, tokens)))


def _kinds(entries: Entries) -> str:
    by_number = sorted(entries.kinds.items(), key=lambda each: -each[1])
    return f"{entries.count} entries: {', '.join(f'{kind} {many}' for kind, many in by_number)}"


def _limits(budget: Mapping[str, Any] | None) -> Iterator[Budget]:
    for limit in (budget or {}).get("limits", ()):
        yield Budget.model_validate(limit)


def _share(usage: BudgetUsage) -> str:
    return f"{usage.spent} of {usage.limit} spent ({usage.percent} %)"
