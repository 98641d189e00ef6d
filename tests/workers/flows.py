"""Workflows that harm whoever drives them, and their peaceful neighbours; each effect is a line of a ledger."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from threading import Event

from engine.clock import SystemClock
from signoff import Run, StepInfo, workflow


def note(ledger: str, what: str, step: StepInfo) -> None:
    """Write down an effect: what it was, and under which key."""
    with Path(ledger).open("a", encoding="utf-8") as file:
        file.write(f"{what} {step.request_id}\n")


def effects(ledger: Path) -> list[tuple[str, str]]:
    """What was written down so far."""
    lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
    return [(what, key) for what, _, key in (line.partition(" ") for line in lines)]


def leave(ledger: str, *, step: StepInfo) -> None:
    """End the process, as a fault in a library would."""
    note(ledger, "leave", step)
    os._exit(137)


def be_killed(ledger: str, *, step: StepInfo) -> None:
    """Be ended as by the kernel when memory runs out."""
    note(ledger, "be_killed", step)
    os.kill(os.getpid(), signal.SIGKILL)


def eat(ledger: str, *, step: StepInfo) -> int:
    """Ask for more memory than there may be."""
    note(ledger, "eat", step)
    return len(bytearray(1 << 46))


def peaceful(ledger: str, *, step: StepInfo) -> str:
    """Do no harm."""
    note(ledger, "peaceful", step)
    return "done"


@workflow
async def wk_leaving(run: Run, ledger: str) -> None:
    """Draws a key, and then ends its worker."""
    await run.uuid()
    await run.step(leave, ledger)


@workflow
async def wk_killed(run: Run, ledger: str) -> None:
    """Gets somewhere, and then ends its worker."""
    await run.step(peaceful, ledger)
    await run.checkpoint("before")
    await run.step(be_killed, ledger, undo=peaceful)


@workflow
async def wk_greedy(run: Run, ledger: str) -> None:
    """Eats memory."""
    await run.step(eat, ledger)


@workflow
async def wk_neighbour(run: Run, ledger: str) -> str:
    """Does three things, and waits in between."""
    await run.step(peaceful, ledger)
    await run.sleep(timedelta(milliseconds=200))
    await run.step(peaceful, ledger)
    return await run.step(peaceful, ledger)


async def slow(ledger: str, *, step: StepInfo) -> str:
    """Do no harm, and take a moment for it."""
    note(ledger, "slow", step)
    await SystemClock().sleep(timedelta(milliseconds=300))
    return "done"


def hang(ledger: str, *, step: StepInfo) -> None:
    """Do something that takes as long as it takes."""
    note(ledger, "hang", step)
    Event().wait(60)


@workflow
async def wk_long(run: Run, ledger: str) -> None:
    """Does many things one after the other, without a wait."""
    for _ in range(10):
        await run.step(slow, ledger)


@workflow
async def wk_hanging(run: Run, ledger: str) -> None:
    """Hangs."""
    await run.step(hang, ledger)
