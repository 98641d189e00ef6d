"""Runs of any shape, told as data: steps, naps, questions, branches and children, and what they must return."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from signoff import Run, workflow
from tests.durability.flows import do, undo

Plan = list[Any]
NAMES: Final = ("migrate", "deploy", "announce", "wake", "publish")


@workflow
async def grove(run: Run, plan: Plan) -> Plan:
    """Does what the plan says, in its order; gives what each part gave."""
    return [await _done(run, each) for each in plan]


def expected(plan: Plan) -> Plan:
    """What a run of this plan returns, however often its drivers die."""
    return [_expected(*each) for each in plan]


async def _done(run: Run, part: Plan) -> object:
    kind, what = part
    match kind:
        case "step":
            return await run.step(do, what, name=what, undo=undo)
        case "ask":
            decision = await run.approval(
                what, action=what, approvers="group:release", ladder=["reject after 30d"]
            )
            return list(decision.by)
        case "nap":
            await run.sleep(f"{what}m")
            return what
        case "child":
            return await run.child(grove, plan=what)
        case _:
            return dict(await run.gather(**{name: _branch(inner) for name, inner in what.items()}))


def _branch(plan: Plan) -> Callable[[Run], Awaitable[object]]:
    return lambda branch: grove(branch, plan)


def _expected(kind: str, what: Any) -> object:
    match kind:
        case "step" | "nap":
            return what
        case "ask":
            return ["ana"]
        case "child":
            return expected(what)
        case _:
            return {name: expected(inner) for name, inner in what.items()}
