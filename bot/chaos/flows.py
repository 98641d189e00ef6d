"""The workflows under chaos: each deed of theirs is a call that the world's ledger remembers."""

from typing import Final

from bot.chaos.telling import TRIES, do, routes, tell, undo
from signoff import ChangesRequested, Decision, Run, StepInfo, workflow

STEPS: Final = frozenset({"reserve", "deliver", "wake", "publish", "charge", "send"})


async def deliver(what: str, *, step: StepInfo) -> str:
    """Deliver, which nobody may do without consent."""
    await tell(step, "deliver", what, needs_consent=True)
    return what


@workflow(name="chaos.order")
async def order(
    run: Run, what: str, room: str, reader: str, quorum: int = 1, ladder: list[str] | None = None
) -> str:
    """Reserves, asks whether to deliver, and delivers; without consent the reservation is undone."""
    await run.step(do, "reserve", what, name="reserve", undo=undo, retries=TRIES)
    call = run.call(deliver, what)
    decision = await run.approval(
        f"Deliver {what}?",
        call=call,
        action="deliver",
        details={"what": what, "round": 1},
        approvers="group:crew",
        quorum=quorum,
        ladder=ladder or ["reject after 1h"],
        routes=routes(room, reader),
    )
    return str(await run.step(call, approved=decision, name="deliver", retries=TRIES))


@workflow(name="chaos.notice")
async def notice(run: Run, what: str, room: str, reader: str) -> str:
    """Asks until nobody wants changes, sleeps a little, and publishes."""
    words, decision = await _agreed(run, what, routes(room, reader))
    await run.step(do, "publish", words, name="publish", approved=decision, retries=TRIES)
    await run.sleep("1s")
    return str(await run.step(do, "wake", what, name="wake", retries=TRIES))


async def _agreed(run: Run, what: str, told: dict[str, list[str]]) -> tuple[str, Decision]:
    words = what
    while True:
        try:
            return words, await run.approval(
                f"Publish {words}?",
                action="publish",
                details={"what": words},
                approvers="group:crew",
                ladder=["continue with {} after 20s"],
                routes=told,
            )
        except ChangesRequested as wish:
            words = f"{what}, {wish.comment}"
