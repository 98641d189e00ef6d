"""A workflow whose middle undo is well, fails, hangs, or fails after it was done."""

import asyncio
from datetime import timedelta
from typing import Final, Literal

from signoff import Compensation, NoEffect, Run, StepInfo, workflow
from tests.durability.flows import WORLD

Mode = Literal["well", "fails", "hangs", "done all the same"]
NAMES: Final = ("migrate", "deploy", "announce")


def do_as(name: str, mode: str, *, step: StepInfo) -> str:
    """Do something outside."""
    WORLD[-1].done(step, name, name, mode)
    return name


async def undo_as(_result: str | None, name: str, mode: str, *, step: StepInfo) -> None:
    """Take it back, as `mode` says."""
    is_first = step.attempt == 1 and name == "deploy"
    if is_first and mode == "fails":
        raise ConnectionError("no answer")
    if is_first and mode == "hangs":
        await asyncio.Event().wait()
    WORLD[-1].done(step, f"undo {name}", name, mode)
    if is_first and mode == "done all the same":
        raise TimeoutError("the answer is lost")


@workflow
async def thrice(run: Run, mode: Mode) -> str:
    """Three steps with undos, then people decide."""
    taken_back = Compensation(undo_as, timeout=timedelta(milliseconds=50))
    for name in NAMES:
        await run.step(do_as, name, mode, name=name, undo=taken_back)
    await run.approval("Keep it?", approvers="group:release", ladder=["reject after 4h"])
    return "kept"


def book_late(*, step: StepInfo) -> str:
    """Do nothing when it is asked first, and it when it is asked again."""
    if step.attempt == 1:
        raise NoEffect("Come back later.")
    WORLD[-1].done(step, "book", "late", "")
    return "booked"


async def give_back_late(_result: str | None, *, step: StepInfo) -> None:
    """Take it back."""
    WORLD[-1].done(step, "undo book", "late", "")


@workflow
async def late(run: Run) -> str:
    """A step that fails without an effect, and is done when it is tried again."""
    return await run.step(book_late, retries=3, undo=give_back_late)
