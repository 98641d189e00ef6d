"""`signoff budgets`: what may be spent, and what is spent of it."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.shapes import Budget
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, say, show, usage

verbs = typer.Typer(name="budgets", help="What may be spent, and what is.", no_args_is_help=True)

Limit = Annotated[
    list[str],
    typer.Argument(metavar="LIMIT...", help="Such as 100.00, 100.00 EUR, or tokens=50000."),
]


@verbs.command("list", cls=Verb)
def list_budgets(*, as_json: AsJson = False, url: Url = None) -> None:
    """List budgets with their present period."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get("/api/budgets")
        if as_json:
            return print_json(found)
        _show([Budget.model_validate(each) for each in found["budgets"]])
        if not found["budgets"]:
            say("There is no budget: nothing is limited.")
        return None

    finish(deed())


@verbs.command("show", cls=Verb)
def show_budget(
    *,
    budget: Annotated[str, typer.Argument(metavar="BUDGET", help="Its id.")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show one budget."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/budgets/{segment(budget)}")
        return print_json(found) if as_json else _show([Budget.model_validate(found)])

    finish(deed())


@verbs.command("set", cls=Verb)
def set_budget(
    *,
    limit: Limit,
    scope: Annotated[
        str, typer.Option(help="tenant, workflow:NAME, agent:NAME or run:ID.")
    ] = "tenant",
    per: Annotated[str, typer.Option(help="hour, day, week, month, run or total.")] = "total",
    then: Annotated[
        str, typer.Option(help="What becomes of a run that lacks: fail, wait or rollback.")
    ] = "fail",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Set the budget of a scope and period; what is spent already stays spent."""

    async def deed() -> None:
        body = {"scope": scope, "per": per, "then": then, "limit": amounts(limit)}
        async with doors(url) as server:
            made = await server.post("/api/budgets", body)
        return print_json(made) if as_json else _show([Budget.model_validate(made)])

    finish(deed())


def amounts(said: Sequence[str]) -> dict[str, Any]:
    """Limits as people type them: `10.00` is dollars, `10.00 EUR` says of what, `tokens=500` counts."""
    found: dict[str, Any] = {}
    for each in said:
        unit, equals, number = each.partition("=")
        if not equals:
            number, _, unit = each.strip().partition(" ")
        unit = (unit.strip() or "usd").lower()
        if unit in found:
            raise usage(f"{unit} is there twice.")
        found[unit] = int(number) if equals and number.isdecimal() and len(unit) > 3 else number
    return found


def _show(found: Sequence[Budget]) -> None:
    columns = ("budget", "scope", "per", "period", "spent", "kept back", "left", "at its end")
    rows = [
        (
            budget.id,
            budget.scope,
            budget.per,
            line.period,
            f"{line.spent} of {line.limit} ({line.percent} %)",
            line.reserved,
            line.left,
            line.forecast or "",
        )
        for budget in found
        for line in budget.usage
    ]
    show(drawing.table(columns, rows))
