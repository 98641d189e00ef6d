"""The workflows that ask by a form and for a budget, and what they did to the world."""

from typing import Any, Final

from signoff import Run, workflow

DONE: Final[list[str]] = []  # what happened outside, in order; a test empties it first

FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["window", "replicas"],
    "properties": {
        "window": {"type": "string", "title": "When", "enum": ["tonight", "tomorrow"]},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "checks": {"type": "array", "items": {"enum": ["smoke", "load"]}},
        "on_call": {"type": "boolean"},
    },
}


def roll_out(version: str, replicas: int, window: str | None) -> str:
    """Deploy."""
    DONE.append(f"{version} {window} x{replicas}")
    return DONE[-1]


def spend(amount: str) -> str:
    """Spend."""
    DONE.append(f"spent {amount}")
    return DONE[-1]


def remind(when: str | None) -> str:
    """Remind."""
    DONE.append(f"at {when}")
    return DONE[-1]


@workflow
async def reminder(run: Run) -> str:
    """People may say another time, or none at all."""
    call = run.call(remind, "tonight")
    properties = {"when": {"type": "string", "default": "tonight"}}
    decision = await run.approval(
        "Remind them?",
        action="remind",
        call=call,
        kind="form",
        form={"type": "object", "properties": properties},
        approvers="group:finance",
        quorum=2,
        ladder=["reject after 4h"],
    )
    assert decision.call is not None
    return str(await run.step(decision.call, approved=decision))


@workflow
async def rollout(
    run: Run, cheat: bool = False, rung: str = "reject after 4h", quorum: int = 2
) -> dict[str, object]:
    """People say when, and how much of it."""
    call = run.call(roll_out, "2.1", 3, window=None)
    decision = await run.approval(
        "Deploy 2.1?",
        action="deploy",
        call=call,
        details={"version": "2.1"},
        kind="form",
        form=FORM,
        approvers="group:finance",
        quorum=quorum,
        ladder=[rung],
    )
    made = call if cheat else decision.call
    assert made is not None
    await run.step(made, approved=decision)
    return {"form": dict(decision.form), "details": dict(decision.details)}


@workflow
async def campaign(run: Run, rung: str = "reject after 4h", quorum: int = 1) -> str:
    """Finance may grant less than marketing asks for."""
    call = run.call(spend, "50000.00 USD")
    decision = await run.approval(
        "Spend on the spring campaign?",
        call=call,
        details={"amount": "50000.00 USD", "department": "Marketing"},
        kind="budget",
        approvers="group:finance",
        quorum=quorum,
        ladder=[rung],
    )
    assert decision.call is not None
    await run.step(decision.call, approved=decision)
    return str(decision.details["amount"])
