"""One life of a server under load, in a process of its own: it begins, and somebody kills it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import structlog

from engine.clock import SystemClock
from engine.errors import EngineError
from engine.ids import DEFAULT_TENANT, SystemIds
from engine.rules.tally import Choice
from engine.runtime.pace import Pace
from engine.store import approvals
from engine.store.approvals import Wanted
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.durability.notes import Notes
from tests.durability.scene import GROUPS, SECRET, Anywhere, Scene

T = TypeVar("T")

PACE = Pace(lease_for=timedelta(seconds=5), poll_every=timedelta(milliseconds=20))
BEGINNING, VOTING = timedelta(milliseconds=4), timedelta(milliseconds=150)  # pauses, more or less
OPEN_MAX = 40  # more than this many open approvals are not piled up
PATIENCE = ("2s", "3s", "1h")


def live(folder: Path, life: int, ready: Connection, *, is_last: bool) -> None:
    """Live on the file in `folder` until killed; the last life only finishes what is left."""
    structlog.configure(processors=[_unsaid])
    asyncio.run(_live(folder, life, ready, is_last=is_last))


async def _live(folder: Path, life: int, ready: Connection, *, is_last: bool) -> None:
    clock, ids = SystemClock(), SystemIds()
    world = Notes(folder, clock, life=life, is_synced=True)
    async with opened(
        folder / "signoff.db", clock=clock, ids=ids, tokens=Tokens(SECRET)
    ) as database:
        scene = Scene(database, clock, world, folder)
        await scene.prepare()
        async with asyncio.TaskGroup() as group:
            group.create_task(scene.worker(pace=PACE).work())
            group.create_task(scene.dispatcher().run())
            ready.send("alive")
            if not is_last:
                group.create_task(for_ever(scene, begin, BEGINNING))
                for person in sorted({name for names in GROUPS.values() for name in names}):
                    group.create_task(for_ever(scene, voting(person), VOTING))


async def for_ever(
    scene: Anywhere, deed: Callable[[Anywhere], Awaitable[None]], pause: timedelta
) -> None:
    while True:
        await deed(scene)
        await scene.clock.sleep(pause * (0.5 + scene.ids.fraction()))


async def begin(scene: Anywhere) -> None:
    counts = await scene.database.read(lambda tx: approvals.counts(tx, DEFAULT_TENANT))
    if counts.get("open", 0) >= OPEN_MAX:
        return
    patience = _one_of(scene, PATIENCE)
    match _one_of(scene, ("shaky_deploy", "shaky_refund", "shaky_refund", "shaky_rounds", "nap")):
        case "nap":
            await scene.start("shaky_nap", nap="1s")
        case workflow:
            await scene.start(workflow, patience=patience)


def voting(person: str) -> Callable[[Anywhere], Awaitable[None]]:
    async def vote(scene: Anywhere) -> None:
        wanted = Wanted(status="open", limit=OPEN_MAX)
        rows = await scene.database.read(lambda tx: approvals.page(tx, DEFAULT_TENANT, wanted))
        if not rows:
            return
        chosen = _one_of(scene, rows)
        choices = [Choice.APPROVE] * 6 + [Choice.REJECT, Choice.ABSTAIN]
        choices += [Choice.REQUEST_CHANGES] if chosen.content.action == "publish" else []
        try:
            await scene.vote(chosen.id, person, _one_of(scene, choices))
        except EngineError:
            return  # not asked, or somebody was faster; the refusal is on record

    return vote


def _one_of(scene: Anywhere, things: Sequence[T]) -> T:
    return things[int(scene.ids.fraction() * len(things))]


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent
