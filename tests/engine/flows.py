"""The workflows that the stories drive, and the ledger of what they did to the world."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Literal

from signoff import ChangesRequested, ChildFailed, NoEffect, Rejected, Run, StepFailed, workflow

LEDGER: Final[list[str]] = []  # what happened outside, in order; a test empties it first
FAIL: Final[dict[str, int]] = {}  # how often a named deed still fails

MEANWHILE: Final[list[Callable[[], Awaitable[None]]]] = []


class Broken(Exception):
    """The world said no."""


def deed(name: str) -> str:
    """Do something and write it down; fails as often as `FAIL` says."""
    if FAIL.get(name, 0) > 0:
        FAIL[name] -= 1
        raise Broken(f"{name} is broken")
    LEDGER.append(name)
    return name


def undo(result: str | None, name: str) -> None:
    """Take it back."""
    deed(f"undo {name}")


async def harmless(name: str) -> str:
    """Fails without having done anything."""
    if FAIL.get(name, 0) > 0:
        FAIL[name] -= 1
        raise NoEffect(f"{name} did nothing")
    LEDGER.append(name)
    return name


def pay(amount: str) -> str:
    """Pay once."""
    LEDGER.append(f"pay {amount}")
    return amount


def order(count: int, *, amount: str) -> int:
    """Order pizzas."""
    LEDGER.append(f"order {count} for {amount}")
    return count


def not_json(name: str) -> object:
    """Return what no journal can keep."""
    LEDGER.append(name)
    return object()


@workflow
async def deploy(
    run: Run, quorum: int = 1, on_reject: Literal["rollback", "fail"] = "rollback"
) -> str:
    """Three steps with undos, then people decide."""
    for name in ("migrate", "deploy", "smoke"):
        await run.step(deed, name, name=name, undo=undo)
    await run.approval(
        "Keep the deployment?",
        action="deploy",
        approvers="group:release",
        quorum=quorum,
        ladder=["remind after 30m", "reject after 4h"],
        on_reject=on_reject,
    )
    return str(await run.step(deed, "announce"))


@workflow(name="paid-refund")
async def refund(run: Run, amount: str = "10.00", cheat: bool = False) -> str:
    """The call is approved, and then made."""
    call = run.call(pay, amount)
    decision = await run.approval(
        "Pay?", call=call, approvers="group:finance", quorum=2, ladder=["reject after 4h"]
    )
    made = run.call(pay, "1000000.00") if cheat else call
    return await run.step(made, approved=decision)


@workflow
async def patient(run: Run, rung: str) -> dict[str, object]:
    """Waits for people, or for what its last rung says."""
    await run.step(deed, "before", undo=undo)
    decision = await run.approval("Go on?", approvers="person:ana", ladder=[rung])
    return {"outcome": decision.outcome, "changes": dict(decision.changes)}


@workflow
async def pizzas(run: Run, cheat: bool = False, rung: str = "reject after 4h") -> dict[str, object]:
    """Approvers may order fewer than were asked for."""
    call = run.call(order, 100, amount="1200.00 USD")
    decision = await run.approval(
        "Order 100 pizzas?",
        call=call,
        details={"count": 100, "amount": "1200.00 USD", "people": 10},
        kind="modify",
        fields=["count", "amount"],
        approvers="group:finance",
        quorum=2,
        ladder=[rung],
    )
    made = call if cheat else decision.call
    assert made is not None
    await run.step(made, approved=decision)
    return {"changes": dict(decision.changes), "details": dict(decision.details)}


@workflow
async def catching(run: Run) -> str:
    """Catches the rejection and ends well."""
    try:
        await run.approval("Really?", approvers="person:ana", ladder=["reject after 1h"])
    except Rejected as no:
        return f"rejected by {', '.join(no.by)}"
    return "approved"


@workflow
async def asking_again(run: Run) -> str:
    """Asks again when somebody wants changes."""
    wording = "First wording"
    while True:
        try:
            decision = await run.approval(
                wording, action="publish", approvers="group:finance", ladder=["reject after 1h"]
            )
        except ChangesRequested as wish:
            wording = f"Second wording: {wish.comment}"
        else:
            return f"{wording} ({', '.join(decision.by)})"


@workflow
async def retrying(run: Run, deed_name: str, retries: int | dict[str, object] | None = None) -> str:
    """One step that may fail."""
    return str(await run.step(deed, deed_name, retries=retries))


@workflow
async def harmlessly(run: Run) -> str:
    """One step whose failures did nothing."""
    return await run.step(harmless, "maybe")


@workflow
async def sleepy(run: Run) -> dict[str, str]:
    """Values that a replay must see again, around a sleep."""
    at, number, name = await run.now(), await run.random(), await run.uuid()
    await run.sleep("2h")
    return {"at": at.isoformat(), "number": repr(number), "name": str(name)}


@workflow
async def unkeepable(run: Run) -> str:
    """A result that is not JSON."""
    await run.step(not_json, "odd")
    return "never"


@workflow
async def hasty(run: Run) -> str:
    """Asks for two things at once."""
    await asyncio.gather(run.step(harmless, "one"), run.step(harmless, "two"))
    return "never"


@workflow
async def marked(run: Run) -> str:
    """A checkpoint on the way."""
    await run.step(deed, "work")
    return await run.checkpoint("worked", state={"left": 3}, asked="Tidy up", task="Sorting")


async def _reviewed(run: Run, who: str) -> str:
    """One branch: prepare, ask, and act."""
    await run.step(deed, f"{who} prepares", name=f"{who} prepares", undo=undo)
    decision = await run.approval(
        f"Fine for {who}?", action=who, approvers=f"person:{who}", ladder=["reject after 4h"]
    )
    await run.step(deed, f"{who} acts", name=f"{who} acts", undo=undo)
    return f"{who}: {', '.join(decision.by)}"


@workflow
async def reviews(run: Run) -> dict[str, str]:
    """Two people are asked at once, while a third branch sleeps."""

    async def asleep(branch: Run) -> str:
        await branch.sleep("1h")
        return str(await branch.step(deed, "woke"))

    done = await run.gather(
        ana=partial(_reviewed, who="ana"), bo=partial(_reviewed, who="bo"), asleep=asleep
    )
    await run.step(deed, "together", undo=undo)
    return dict(done)


@workflow
async def halved(run: Run, catches: bool = True) -> str:
    """One branch asks, another one breaks."""

    async def breaks(branch: Run) -> str:
        await branch.sleep("1h")
        return str(await branch.step(deed, "broken"))

    try:
        await run.gather(ana=partial(_reviewed, who="ana"), breaks=breaks)
    except StepFailed as failed:
        if not catches:
            raise
        return f"without: {await run.step(deed, str(failed))}"
    return "both"


@workflow
async def reader(run: Run, topic: str, asks: bool = False) -> str:
    """A child: it looks something up, and may ask whether to use it."""
    found = await run.step(deed, f"read {topic}", name=f"read {topic}", undo=undo)
    if asks:
        await run.approval(
            f"Use {topic}?", action=topic, approvers="person:ana", ladder=["reject after 4h"]
        )
    return f"notes on {found}"


@workflow
async def paper(run: Run, topics: list[str], asks: bool = False) -> dict[str, str]:
    """A parent: children one by one, then people decide about all."""
    notes = {topic: await run.child(reader, topic=topic, asks=asks) for topic in topics}
    await run.step(deed, "write", name="write", undo=undo)
    await run.approval(
        "Publish?", action="publish", approvers="person:bo", ladder=["reject after 4h"]
    )
    return notes


@workflow
async def journal_issue(run: Run, topics: list[str], asks: bool = True) -> dict[str, str]:
    """Children side by side."""

    def about(topic: str) -> Callable[[Run], Awaitable[str]]:
        return lambda branch: branch.child(reader, topic, asks=asks)

    return dict(await run.gather(**{topic: about(topic) for topic in topics}))


@workflow
async def endless(run: Run) -> str:
    """A run that starts itself."""
    return await run.child(endless)


@workflow
async def forgiving(run: Run, topic: str) -> str:
    """A parent that catches what became of its child."""
    try:
        return str(await run.child("reader", topic=topic, asks=True))
    except Rejected as no:
        return f"rejected by {', '.join(no.by)}"
    except ChildFailed as failed:
        return f"{failed.workflow} is {failed.status}: {failed.code}"


async def meanwhile(name: str) -> str:
    """A step that lasts until what a test wants to happen meanwhile has happened."""
    await MEANWHILE[0]()
    LEDGER.append(name)
    return name


@workflow
async def busy(run: Run) -> dict[str, str]:
    """One branch asks while the other is in the middle of a step."""

    async def works(branch: Run) -> str:
        return await branch.step(meanwhile, "long")

    return dict(await run.gather(ana=partial(_reviewed, who="ana"), works=works))
