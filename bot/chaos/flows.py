"""The workflows under chaos: each deed of theirs is a call that the world's ledger remembers."""

import json
from pathlib import Path
from typing import Any, Final

from engine.clock import SystemClock, micros
from engine.http import plain_client
from signoff import ChangesRequested, Decision, Run, StepInfo, workflow

WORLD: Final = Path(
    "world.json"
)  # in the folder of the process: where the ledger is, and who this is
STEPS: Final = frozenset({"reserve", "deliver", "wake", "publish"})
TRIES: Final = 4
DESK: Final = "desk"


async def do(name: str, what: str, *, step: StepInfo) -> str:
    """Do something outside."""
    await _told(step, name, what)
    return what


async def undo(_result: str | None, name: str, what: str, *, step: StepInfo) -> None:
    """Take it back."""
    await _told(step, f"undo {name}", what)


async def deliver(what: str, *, step: StepInfo) -> str:
    """Deliver, which nobody may do without consent."""
    await _told(step, "deliver", what, needs_consent=True)
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
        routes=_routes(room, reader),
    )
    return str(await run.step(call, approved=decision, name="deliver", retries=TRIES))


@workflow(name="chaos.notice")
async def notice(run: Run, what: str, room: str, reader: str) -> str:
    """Asks until nobody wants changes, sleeps a little, and publishes."""
    words, decision = await _agreed(run, what, _routes(room, reader))
    await run.step(do, "publish", words, name="publish", approved=decision, retries=TRIES)
    await run.sleep("1s")
    return str(await run.step(do, "wake", what, name="wake", retries=TRIES))


async def _agreed(run: Run, what: str, routes: dict[str, list[str]]) -> tuple[str, Decision]:
    words = what
    while True:
        try:
            return words, await run.approval(
                f"Publish {words}?",
                action="publish",
                details={"what": words},
                approvers="group:crew",
                ladder=["continue with {} after 20s"],
                routes=routes,
            )
        except ChangesRequested as wish:
            words = f"{what}, {wish.comment}"


def _routes(room: str, reader: str) -> dict[str, list[str]]:
    return {"slack": [room], "email": [reader], "webhook": [DESK]}


async def _told(step: StepInfo, name: str, what: str, *, needs_consent: bool = False) -> None:
    world: dict[str, Any] = json.loads(WORLD.read_text(encoding="utf-8"))
    called = {
        "request": step.request_id,
        "name": name,
        "args": [what],
        "needs_consent": needs_consent,
        "who": world["me"],
    }
    async with plain_client(base_url=world["target"]) as client:
        # The other side may read it late; what is judged is when it was asked.
        called["sent"] = micros(SystemClock().now())
        (await client.post("/effects", json=called)).raise_for_status()
