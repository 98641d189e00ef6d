"""Workflows whose effects happen once, cost something, are changed by people, and belong to a family."""

from signoff import Run, StepInfo, workflow
from signoff.effects import Absent, Present
from tests.durability import notes
from tests.durability.flows import WORLD, do, undo

PRICE = "10.00 USD"
FEWER = {"count": 10}


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
