"""The runs that are measured: a step, an approval, a step; and one with many steps before it."""

import os
import threading
import time
from pathlib import Path

from signoff import Run, workflow

WORKFLOW = "bench-gated"
LONG = "bench-long"
PRICED = "bench-priced"
STEPPED = "bench-stepped"
STEPPED_PRICED = "bench-stepped-priced"
BUSY = "bench-busy"
ALL = (WORKFLOW, LONG, PRICED, STEPPED, STEPPED_PRICED, BUSY)
CALL_S = 0.010


async def add_one(number: int) -> int:
    """As little work as a step can do."""
    return number + 1


@workflow(name=WORKFLOW)
async def gated(run: Run, number: int, deadline: str = "1d") -> int:
    """Start, step A, an approval that somebody outside decides, step B, done."""
    first = await run.step(add_one, number, name="a")
    await run.approval(
        "Go on?", action="bench", approvers="person:bench", ladder=[f"reject after {deadline}"]
    )
    return await run.step(add_one, first, name="b")


@workflow(name=LONG)
async def long(run: Run, number: int) -> int:
    """`number` steps, an approval, and one step more."""
    done = 0
    for _step in range(number):
        done = await run.step(add_one, done, name="a")
    await run.approval(
        "Go on?", action="bench", approvers="person:bench", ladder=["reject after 1d"]
    )
    return await run.step(add_one, done, name="b")


def take_back(result: int | None, number: int) -> None:
    """What is undone here is nothing, but it is there: so the step's intent is journaled before it."""


def call_out(number: int) -> int:
    """A call that whoever is called takes ten milliseconds to answer."""
    threading.Event().wait(CALL_S)
    return number + 1


async def _stepped(run: Run, number: int, cost: dict[str, str | int] | None, *, calls: bool) -> int:
    does = call_out if calls else add_one
    for step in range(number):
        await run.step(does, step, name="a", undo=take_back, cost=cost)
    await run.approval(
        "Go on?", action="bench", approvers="person:bench", ladder=["reject after 1d"]
    )
    return number


@workflow(name=STEPPED)
async def stepped(run: Run, number: int, *, calls: bool = False) -> int:
    """`number` steps, each of which commits its intent before it does nothing, or `calls`, and an approval."""
    return await _stepped(run, number, None, calls=calls)


@workflow(name=STEPPED_PRICED)
async def stepped_priced(run: Run, number: int, *, calls: bool = False) -> int:
    """As `stepped`, with steps that say what they cost."""
    return await _stepped(run, number, {"usd": "0.01", "tokens": 5}, calls=calls)


def note(folder: str, kind: str) -> None:
    """An effect that says when it happened, by a clock that all processes of a machine share."""
    with (Path(folder) / f"{kind}-{os.getpid()}").open("a", encoding="ascii") as file:
        file.write(f"{time.perf_counter_ns()}\n")


def forget(result: None, folder: str, kind: str) -> None:
    """What is noted stays; but the step's intent is journaled before it."""


@workflow(name=BUSY)
async def busy(run: Run, folder: str, kind: str) -> None:
    """One effect after the other, until somebody stops it."""
    for _step in range(100_000):
        undo = forget if kind == "intent" else None
        await run.step(note, folder, kind, name=kind, undo=undo)


@workflow(name=PRICED)
async def priced(run: Run, number: int, deadline: str = "1d") -> int:
    """As `gated`, with steps that say what they cost."""
    cost = {"usd": "0.01", "tokens": 5}
    first = await run.step(add_one, number, name="a", cost=cost)
    await run.approval(
        "Go on?", action="bench", approvers="person:bench", ladder=[f"reject after {deadline}"]
    )
    return await run.step(add_one, first, name="b", cost=cost)
