"""Measures a kill switch under load: how soon after its commit the last effect of any process has happened."""

import asyncio
import json
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from bot.bench import flows
from bot.bench.children import child, line_of
from bot.bench.figures import Figures
from bot.bench.ground import Moments, ground, heard_by
from bot.bench.place import Place
from bot.wiring import running
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.services import halting, runs
from engine.services.keys import Caller, Scope
from engine.store.database import Database, Transaction
from engine.store.measuring import begun_steps, mark
from engine.store.runs import NewRun

LOOKED_EVERY: Final = timedelta(milliseconds=20)
PATIENCE_S: Final = 120
OPERATOR: Final = Caller(
    tenant=DEFAULT_TENANT,
    key=None,
    person=None,
    scopes=frozenset(Scope),
    owner=None,
    name="bench",
    kind="local",
)


async def switch(place: Place, *, workers: int, busy: int, rounds: int) -> Figures:
    """Engage the switch over the tenant `rounds` times while `busy` runs take one step after the other.

    Half of them are plain steps; the others commit their intent before them. Every effect notes its
    own moment in a file, beside whatever is journaled.
    """
    async with _at_work(place, workers) as database:
        await database.write(partial(_begin, folder=place.folder, busy=busy))
        found = [await _round(database, place.folder, busy) for _number in range(rounds)]
    return {
        "workers": workers,
        "runs": busy,
        "rounds": rounds,
        "effects_s": round(sum(each["effects_s"] for each in found) / rounds, 1),
        "dispatched_after": sum(each["dispatched_after"] for each in found),
        "last_effect_with_intent_ms": round(max(each["intent_ms"] for each in found), 1),
        "last_effect_of_plain_ms": round(max(each["plain_ms"] for each in found), 1),
        "all_wait_ms": round(max(each["all_wait_ms"] for each in found), 1),
    }


async def drive(place: Place) -> Figures:
    """One worker: says that it is ready, and drives until it is killed."""
    async with ground(place):
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.Event().wait()
    return {}


@asynccontextmanager
async def _at_work(place: Place, workers: int) -> AsyncGenerator[Database]:
    """The database, while so many processes drive its runs; a file has one, which is this."""
    async with AsyncExitStack() as stack:
        if not place.is_shared:
            yield (await stack.enter_async_context(ground(place))).database
            return
        stack.enter_context(heard_by(Moments()))
        it = await stack.enter_async_context(running(place.settings, authored={}))
        await it.application.database.write(mark)
        for _worker in range(workers):
            process = await child(place, "drive", {})
            stack.push_async_callback(_killed, process)
            await line_of(process)
        yield it.application.database


async def _killed(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _begin(tx: Transaction, *, folder: Path, busy: int) -> None:
    ids = SystemIds()
    for number in range(busy):
        given = {"folder": str(folder), "kind": "plain" if number % 2 else "intent"}
        new = NewRun(
            id=RunId(ids.new("run")),
            tenant=DEFAULT_TENANT,
            workflow=flows.BUSY,
            version="1",
            input=given,
            started_by="key:bench",
        )
        runs.start(tx, new)


async def _round(database: Database, folder: Path, busy: int) -> dict[str, float]:
    began, before = time.perf_counter(), sum(map(len, _effects(folder).values()))
    while sum(map(len, _effects(folder).values())) < before + 5 * busy:
        await _wait(began)
    dispatched = await database.write(_engage)
    engaged = time.perf_counter()
    while (await database.read(_counts)).get("waiting", 0) < busy:
        await _wait(engaged)
    all_wait = time.perf_counter()
    found = _effects(folder)
    took = {
        kind: max(0.0, max(moments, default=engaged) - engaged) for kind, moments in found.items()
    }
    after = await database.read(begun_steps)
    await database.write(_release)
    done = sum(map(len, found.values())) - before
    return {
        "effects_s": done / (engaged - began),
        "dispatched_after": after - dispatched,
        "intent_ms": took["intent"] * 1e3,
        "plain_ms": took["plain"] * 1e3,
        "all_wait_ms": (all_wait - engaged) * 1e3,
    }


def _engage(tx: Transaction) -> int:
    halting.engage(tx, OPERATOR, "tenant", reason="A measurement.")
    return begun_steps(tx)  # in the same deed: nothing comes in between


def _release(tx: Transaction) -> None:
    halting.release(tx, OPERATOR, "tenant", reason="Measured.")


def _counts(tx: Transaction) -> dict[str, int]:
    return runs.counts(tx, DEFAULT_TENANT)


def _effects(folder: Path) -> dict[str, list[float]]:
    """The moments of all effects so far, of all processes of this machine."""
    found: dict[str, list[float]] = {"intent": [], "plain": []}
    for kind, moments in found.items():
        for file in folder.glob(f"{kind}-*"):
            written = file.read_text(encoding="ascii").split("\n")[:-1]
            moments += [int(each) / 1e9 for each in written]
    return found


async def _wait(since: float) -> None:
    if time.perf_counter() - since > PATIENCE_S:
        raise TimeoutError("The runs do not come that far.")
    await SystemClock().sleep(LOOKED_EVERY)
