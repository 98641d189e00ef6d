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
from engine.rules.states import WaitingReason
from engine.rules.tally import Choice
from engine.runtime.pace import Pace
from engine.services import budgets, halting, runs
from engine.services.budgets import Wanted as Budget
from engine.store import approvals
from engine.store.approvals import Wanted
from engine.store.database import Transaction
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.durability.deeds import FEWER
from tests.durability.notes import Notes
from tests.durability.rich import LOCAL
from tests.durability.scene import GROUPS, SECRET, Anywhere, Scene
from tests.durability.stories import FAMILY, settle

T = TypeVar("T")

# The next life frees what a dead one held. Within a life nothing may be done again, so a lease outlasts
# whatever stalls a busy machine.
PACE = Pace(lease_for=timedelta(minutes=5), poll_every=timedelta(milliseconds=20))
BEGINNING, VOTING = timedelta(milliseconds=4), timedelta(milliseconds=150)  # pauses, more or less
OPEN_MAX = 40  # more than this many open approvals are not piled up
SWITCHING, TENDING = timedelta(milliseconds=400), timedelta(milliseconds=60)
SCOPES = ("tenant", "workflow:shaky_deploy", "workflow:grove")
PLAIN = ("shaky_deploy", "shaky_refund", "shaky_refund", "shaky_rounds", "shaky_nap")
GUARDED = ("shaky_charge", "shaky_charge", "shaky_order", "grove")
EVEN = 0.5
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
        await database.write(_furnished)
        async with asyncio.TaskGroup() as group:
            group.create_task(scene.worker(pace=PACE).work())
            group.create_task(scene.dispatcher().run())
            group.create_task(for_ever(scene, tend, TENDING))
            ready.send("alive")
            if not is_last:
                group.create_task(for_ever(scene, begin_any, BEGINNING))
                group.create_task(for_ever(scene, switch, SWITCHING))
                for person in sorted({name for names in GROUPS.values() for name in names}):
                    group.create_task(for_ever(scene, voting(person), VOTING))


async def for_ever(
    scene: Anywhere, deed: Callable[[Anywhere], Awaitable[None]], pause: timedelta
) -> None:
    while True:
        await deed(scene)
        await scene.clock.sleep(pause * (0.5 + scene.ids.fraction()))


async def begin(scene: Anywhere) -> None:
    """Begin a run of those that wait, ask and can be undone."""
    await _begin(scene, PLAIN)


async def begin_any(scene: Anywhere) -> None:
    """Begin a run of any kind, those that do a thing once or have children among them."""
    await _begin(scene, PLAIN + GUARDED)


async def _begin(scene: Anywhere, workflows: Sequence[str]) -> None:
    counts = await scene.database.read(lambda tx: approvals.counts(tx, DEFAULT_TENANT))
    if counts.get("open", 0) >= OPEN_MAX:
        return
    patience = _one_of(scene, PATIENCE)
    match _one_of(scene, workflows):
        case "shaky_nap":
            await scene.start("shaky_nap", nap="1s")
        case "shaky_charge":
            await scene.start("shaky_charge", probes=scene.ids.fraction() < EVEN)
        case "shaky_order":
            await scene.start("shaky_order")
        case "grove":
            await scene.start("grove", plan=FAMILY)
        case workflow:
            await scene.start(workflow, patience=patience)


async def tend(scene: Anywhere) -> None:
    """As an operator: let no switch stay engaged, and settle what is unknown by looking at the ledger."""
    await scene.database.write(_released)
    waiting = await scene.database.read(
        lambda tx: runs.page(tx, DEFAULT_TENANT, status="waiting", limit=OPEN_MAX * 3)
    )
    for row in waiting:
        if row.reason is WaitingReason.RECONCILE:
            await settle(scene, row.id)


async def switch(scene: Anywhere) -> None:
    """Engage a kill switch; whoever tends it releases it."""
    scope = _one_of(scene, SCOPES)
    await scene.database.write(lambda tx: halting.engage(tx, LOCAL, scope, reason="Stop."))


def voting(person: str) -> Callable[[Anywhere], Awaitable[None]]:
    async def vote(scene: Anywhere) -> None:
        wanted = Wanted(status="open", limit=OPEN_MAX)
        rows = await scene.database.read(lambda tx: approvals.page(tx, DEFAULT_TENANT, wanted))
        if not rows:
            return
        chosen = _one_of(scene, rows)
        choices = [Choice.APPROVE] * 6 + [Choice.REJECT, Choice.ABSTAIN]
        choices += [Choice.REQUEST_CHANGES] if chosen.content.action == "publish" else []
        choice = _one_of(scene, choices)
        is_other = choice is Choice.APPROVE and chosen.content.kind == "modify"
        try:
            await scene.vote(chosen.id, person, choice, changes=FEWER if is_other else None)
        except EngineError:
            return  # not asked, or somebody was faster; the refusal is on record

    return vote


def _furnished(tx: Transaction) -> None:
    wanted = Budget(limit={"usd": "100000.00"})
    budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="local")


def _released(tx: Transaction) -> None:
    for engaged in halting.status(tx, DEFAULT_TENANT).switches:
        halting.release(tx, LOCAL, engaged.scope, reason="On.")


def _one_of(scene: Anywhere, things: Sequence[T]) -> T:
    return things[int(scene.ids.fraction() * len(things))]


def _unsaid(*_line: object) -> str:
    raise structlog.DropEvent
