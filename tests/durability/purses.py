"""Runs that spend in every way there is, told as data, and what was really paid, kept beside every journal."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from signoff import BudgetExceeded, ChildFailed, NoEffect, Run, StepFailed, StepInfo, workflow

Plan = list[Any]
PAID: Final[list[int]] = []  # cents that must be on record; a test empties it first

DECLARED: Final = 10  # cents
WAYS: Final = ("as said", "more", "less", "undeclared", "fails", "did nothing")


def pay(way: str, *, step: StepInfo) -> str:
    """One call; what it costs is known outside of every journal as well."""
    said = {"more": 30, "less": 4, "undeclared": 20}.get(way)
    if said is not None:
        step.spent(usd=f"0.{said:02}")
    PAID.append(0 if way == "did nothing" else said or DECLARED)
    if way == "fails":
        raise ConnectionError("It failed, and cost what it was to cost.")
    if way == "did nothing":
        raise NoEffect("nothing happened")
    return way


@workflow
async def purse(run: Run, plan: Plan) -> int:
    """Does what the plan says; what fails or is too dear is left."""
    return sum([await _done(run, each) for each in plan])


async def _done(run: Run, part: Plan) -> int:
    kind, what = part
    match kind:
        case "pay":
            cost = None if what == "undeclared" else {"usd": f"0.{DECLARED}"}
            try:
                await run.step(pay, what, name=what, cost=cost, retries=0)
            except (StepFailed, BudgetExceeded):
                return 0
            return 1
        case "nap":
            await run.sleep("1m")
            return 0
        case "child":
            try:
                return int(await run.child(purse, plan=what))
            except ChildFailed:
                return 0
        case _:
            parts = await run.gather(**{name: _branch(inner) for name, inner in what.items()})
            return sum(int(str(each)) for each in parts.values())


def _branch(plan: Plan) -> Callable[[Run], Awaitable[object]]:
    return lambda branch: purse(branch, plan)
