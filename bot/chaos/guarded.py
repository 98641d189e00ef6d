"""Workflows under chaos that may do a thing once, cost money, are changed by people, and have children and branches."""

from collections.abc import Awaitable, Callable, Mapping

from bot.chaos.telling import TRIES, do, look_for, routes, tell, undo
from signoff import Run, StepInfo, workflow

PRICE = "1.00 USD"
FORM: Mapping[str, object] = {
    "required": ["count"],
    "properties": {
        "count": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
        "when": {"type": "string", "enum": ["now", "later"]},
    },
}


async def charge(what: str, *, step: StepInfo) -> str:
    """Charge somebody, which nobody can take back."""
    await tell(step, "charge", what)
    return what


async def send(what: str, count: int, *, step: StepInfo) -> int:
    """Send so many, which nobody may do without consent to just that number."""
    await tell(step, "send", what, count, needs_consent=True)
    return count


async def spend(what: str, amount: str, *, step: StepInfo) -> str:
    """Spend so much, which nobody may do without consent to just that amount."""
    await tell(step, "send", what, amount, needs_consent=True)
    return amount


@workflow(name="chaos.payment")
async def payment(run: Run, what: str, *, probes: bool = True) -> str:
    """Reserves, charges once whatever happens, and tells somebody; its budget may end it before."""
    await run.step(do, "reserve", what, name="reserve", undo=undo, retries=TRIES)
    await run.step(
        charge, what, name="charge", irreversible=True, probe=look_for if probes else None,
        cost=PRICE,
    )  # fmt: skip
    return str(await run.step(do, "wake", what, name="wake", retries=TRIES))


@workflow(name="chaos.leaf")
async def leaf(run: Run, what: str) -> str:
    """One step that can be undone."""
    return str(await run.step(do, "reserve", what, name="reserve", undo=undo, retries=TRIES))


@workflow(name="chaos.tree")
async def tree(run: Run, what: str, room: str, reader: str) -> str:
    """A child, then two branches, one of them with a child; without consent all of it is undone."""
    await run.child(leaf, what=f"{what} child")
    await run.gather(one=_branch(f"{what} one"), other=_family(f"{what} other"))
    decision = await run.approval(
        f"Keep {what}?",
        action="keep",
        details={"what": what},
        approvers="group:crew",
        ladder=["rollback after 6s"],
        routes=routes(room, reader),
    )
    return ", ".join(decision.by)


@workflow(name="chaos.offer")
async def offer(run: Run, what: str, room: str, reader: str) -> int:
    """People may send another number than was asked for; two must agree to the same one."""
    decision = await run.approval(
        f"Send {what}?",
        call=run.call(send, what, 3),
        details={"what": what, "count": 3},
        kind="modify",
        fields=["count"],
        action="send",
        approvers="group:crew",
        quorum=2,
        ladder=["reject after 10s"],
        routes=routes(room, reader),
    )
    call = decision.call or run.call(send, what, 3)
    sent = await run.step(call, approved=decision, name="send", cost=PRICE, retries=TRIES)
    return 0 if sent is None else 1


@workflow(name="chaos.form")
async def form(run: Run, what: str, room: str, reader: str) -> int:
    """People fill in how many to send, and when; two must say the same."""
    decision = await run.approval(
        f"How many of {what}?",
        call=run.call(send, what, 3),
        details={"what": what},
        kind="form",
        form=FORM,
        action="send",
        approvers="group:crew",
        quorum=2,
        ladder=["reject after 10s"],
        routes=routes(room, reader),
    )
    call = decision.call or run.call(send, what, 3)
    sent = await run.step(call, approved=decision, name="send", retries=TRIES)
    return 0 if sent is None else 1


@workflow(name="chaos.grant")
async def grant(run: Run, what: str, room: str, reader: str) -> int:
    """People may grant less than was asked for; two must grant the same."""
    decision = await run.approval(
        f"Spend on {what}?",
        call=run.call(spend, what, "3.00 USD"),
        details={"what": what, "amount": "3.00 USD"},
        kind="budget",
        action="spend",
        approvers="group:crew",
        quorum=2,
        ladder=['continue with {"amount": "1.00"} after 10s'],
        routes=routes(room, reader),
    )
    call = decision.call or run.call(spend, what, "3.00 USD")
    spent = await run.step(call, approved=decision, name="send", retries=TRIES)
    return 0 if spent is None else 1


def _branch(what: str) -> Callable[[Run], Awaitable[object]]:
    return lambda run: run.step(do, "reserve", what, name="reserve", undo=undo, retries=TRIES)


def _family(what: str) -> Callable[[Run], Awaitable[object]]:
    return lambda run: run.child(leaf, what=what)
