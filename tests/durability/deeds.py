"""Workflows whose effects happen once, cost something, are changed by people, and belong to a family."""

from signoff import Run, StepInfo, workflow
from signoff.effects import Absent, Present
from tests.durability import notes
from tests.durability.flows import WORLD, do, undo

PRICE = "10.00 USD"
FEWER = {"count": 10}
FILLED = {"window": "tonight", "checks": ["smoke"]}
LESS = {"amount": "40.00 USD"}
FORM: dict[str, object] = {
    "required": ["window", "replicas"],
    "properties": {
        "window": {"type": "string", "enum": ["tonight", "tomorrow"]},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "checks": {"type": "array", "items": {"enum": ["smoke", "load"]}},
    },
}


def charge(name: str, *, step: StepInfo) -> str:
    """Charge somebody, which nobody can take back."""
    WORLD[-1].done(step, "charge", name)
    return name


def look_for(request_id: str, name: str) -> Present | Absent:
    """Whether it happened, truly."""
    done = notes.effects(WORLD[-1].folder)
    return Present(name) if request_id in {each.request for each in done} else Absent()


def order(count: int, *, step: StepInfo) -> int:
    """Order so many, which nobody may do without consent."""
    WORLD[-1].done(step, "order", count, needs_consent=True)
    return count


def roll_out(replicas: int, window: str | None, *, step: StepInfo) -> int:
    """Deploy as people say, which nobody may do without consent."""
    WORLD[-1].done(step, "roll out", replicas, window, needs_consent=True)
    return replicas


def spend(amount: str, *, step: StepInfo) -> str:
    """Spend so much, which nobody may do without consent."""
    WORLD[-1].done(step, "spend", amount, needs_consent=True)
    return amount


@workflow
async def shaky_charge(run: Run, probes: bool) -> str:
    """A step that may happen once, between two that can be undone."""
    await run.step(do, "migrate", name="migrate", undo=undo)
    probe = look_for if probes else None
    charged = await run.step(
        charge, "ana", name="charge", irreversible=True, probe=probe, cost=PRICE
    )
    await run.step(do, "deploy", name="deploy", undo=undo)
    return str(charged)


@workflow
async def shaky_order(run: Run, amount: int = 100) -> str:
    """People may order fewer than were asked for; it costs, and so does looking."""
    await run.step(do, "look up", name="look up", cost=PRICE)
    decision = await run.approval(
        f"Order {amount}?",
        call=run.call(order, amount),
        details={"count": amount},
        kind="modify",
        fields=["count"],
        approvers="group:finance",
        quorum=2,
        ladder=["reject after 4h"],
    )
    call = decision.call or run.call(order, amount)
    return str(await run.step(call, approved=decision, name="order", cost=PRICE))


@workflow
async def shaky_rollout(run: Run) -> int:
    """People say when, and how much of it."""
    decision = await run.approval(
        "Deploy?",
        call=run.call(roll_out, 3, None),
        kind="form",
        form=FORM,
        approvers="group:finance",
        quorum=2,
        ladder=["reject after 4h"],
    )
    call = decision.call or run.call(roll_out, 3, None)
    return 0 if await run.step(call, approved=decision, name="roll out") is None else 1


@workflow
async def shaky_grant(run: Run) -> str:
    """People may grant less than was asked for."""
    decision = await run.approval(
        "Spend it?",
        call=run.call(spend, "50.00 USD"),
        details={"amount": "50.00 USD"},
        kind="budget",
        approvers="group:finance",
        quorum=2,
        ladder=["reject after 4h"],
    )
    call = decision.call or run.call(spend, "50.00 USD")
    return str(await run.step(call, approved=decision, name="spend"))
