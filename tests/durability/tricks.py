"""Workflows whose authors swallow, leave, cancel and change what they should not."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from signoff import NoEffect, Rejected, Run, StepInfo, workflow
from tests.durability.flows import WORLD, do

MEANWHILE: Final[dict[str, Callable[[], Awaitable[object]]]] = {}  # what happens during a step
MEETING: Final[list[threading.Barrier]] = []
TURNED: Final[set[str]] = set()  # the workflows whose code was changed

Escape = Literal["exit", "cancel", "group", "crowd", "swallow"]


async def busy(name: str, *, step: StepInfo) -> str:
    """Does something while something else happens."""
    WORLD[-1].done(step, name, name)
    if name in MEANWHILE:
        await MEANWHILE.pop(name)()
    return name


async def leaving(how: str, *, step: StepInfo) -> str:
    """A step that does not return."""
    WORLD[-1].done(step, "leave", how)
    if how == "exit":
        sys.exit(2)
    raise asyncio.CancelledError


async def perhaps(outcomes: list[str], *, step: StepInfo) -> str:
    """Fails as `outcomes` say, attempt by attempt."""
    WORLD[-1].done(step, "perhaps")
    match outcomes[step.attempt - 1]:
        case "did nothing":
            raise NoEffect("nothing was done")
        case "who knows":
            raise TimeoutError("no answer")
        case outcome:
            return outcome


async def take_back(_result: str | None, outcomes: list[str], *, step: StepInfo) -> None:
    """Undoes what `perhaps` may have done."""
    WORLD[-1].done(step, "take back")


@workflow
async def swallowing(run: Run) -> str:
    """Catches every error of its first step, and goes on."""
    try:
        await run.step(busy, "first", name="first")
    except Exception:  # border: this is what is tried here
        await run.step(do, "instead", name="instead")
    await run.step(do, "second", name="second")
    return "done"


def together(_name: str) -> str:
    """Returns once as many others do the same as `MEETING` wants."""
    MEETING[0].wait()
    return "met"


@workflow
async def meeting(run: Run) -> str:
    """One step that blocks its thread until the others are there."""
    return str(await run.step(together, "x", name="together"))


@workflow
async def turning(run: Run) -> str:
    """Asks for another step once its code has changed, and catches the complaint."""
    name = "other" if "turning" in TURNED else "first"
    try:
        await run.step(do, name, name=name)
        await run.approval("Go on?", action="go", approvers="person:ana")
    except Exception:  # border: this is what is tried here
        await run.step(do, "instead", name="instead")
    return str(await run.step(do, "second", name="second"))


@workflow
async def dozing(run: Run) -> str:
    """Sleeps; once its code has changed, it asks for something else instead, or breaks."""
    if "broken" in TURNED:
        raise RuntimeError("broken while it slept")
    if "dozing" in TURNED:
        await run.step(do, "other", name="other")
    await run.sleep("1h")
    return str(await run.step(do, "wake", name="wake"))


@workflow
async def escaping(run: Run, how: Escape, inside: bool = False) -> str:
    """Leaves in a way of its own, in a step or around one."""
    if inside:
        await run.step(leaving, how, name="leave")
    match how:
        case "exit":
            sys.exit("enough")
        case "cancel":
            raise asyncio.CancelledError
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(_asking(run))
        case "crowd":
            async with asyncio.TaskGroup() as group:
                group.create_task(run.step(do, "grouped", name="grouped"))
                group.create_task(_asking(run))
        case "swallow":
            try:
                await _asking(run)
            except BaseException:  # border: this is what is tried here
                return "swallowed"
    return "asked"


async def _asking(run: Run) -> None:
    await run.approval("Go on?", action="go", approvers="person:ana", ladder=["rollback after 1h"])


@workflow
async def uncertain(run: Run, outcomes: list[str]) -> str:
    """A step that may have done something, and a rejection."""
    try:
        await run.step(perhaps, outcomes, name="perhaps", undo=take_back, retries=1)
    except Exception:  # border: this is what is tried here
        await run.approval("Keep it?", action="keep", approvers="person:ana")
    return "kept"


@workflow
async def twice_the_same(run: Run) -> list[str]:
    """Asks about one action until it is approved, and then about the same action again."""
    found: list[str] = []
    for item in ("one", "two"):
        wording = item
        while True:
            try:
                decision = await run.approval(wording, action="publish", approvers="person:ana")
            except Rejected:
                raise
            except Exception as wish:  # border: this is what is tried here
                wording = f"{item}, {wish}"
            else:
                found.append(decision.approval)
                break
    return found


@workflow
async def straight(run: Run) -> str:
    """A step, an approval, a step: nothing else is waited for."""
    await run.step(do, "first", name="first")
    await run.approval("Go on?", action="go", approvers="person:ana")
    return str(await run.step(do, "second", name="second"))


@workflow
async def lingering(run: Run) -> str:
    """Turns to something of its own between two deeds."""
    await run.step(do, "first", name="first")
    await MEANWHILE.pop("between")()
    await run.approval("Go on?", action="go", approvers="person:ana")
    return "gone on"


@workflow
async def correcting(run: Run) -> str:
    """Asks somebody who is nobody, and then somebody else."""
    await run.step(do, "first", name="first")
    try:
        await run.approval("Go on?", action="go", approvers="person:nobody")
    except Exception:  # border: this is what is tried here
        await run.approval("Go on?", action="go", approvers="person:ana")
    return "asked"
