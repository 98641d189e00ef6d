"""Measures a restart: how soon after a kill the first decision is taken, and how late the first timer is."""

import time
from datetime import datetime, timedelta
from typing import Any, Final

from bot.bench.figures import Figures
from bot.bench.filling import fill
from bot.bench.ground import ground
from bot.bench.http_calls import Connection, bearer, connected
from bot.bench.place import Place
from bot.bench.serving import prepared, serving, sign_in
from engine.clock import SystemClock, from_iso

OVERDUE: Final = timedelta(seconds=1)  # a rung comes due while nothing runs


async def restart(place: Place, *, waiting: int) -> Figures:
    """Kill a server with `waiting` runs waiting, start another, and decide one of them over HTTP."""
    tokens = await sign_in(place)
    said = bearer(tokens.terminals["bench"])
    filled = await fill(place, waiting)
    chosen = filled.sample[len(filled.sample) // 2].approval
    async with serving(place):
        pass  # killed as soon as it answers
    async with ground(place) as engine:
        _run, late = await engine.start(deadline="2s")
    await SystemClock().sleep(timedelta(seconds=2) + OVERDUE)
    process, began = prepared(place), SystemClock().now()
    clocked = time.perf_counter()
    try:
        await process.server.start()
        answers = time.perf_counter() - clocked
        async with connected(process.url) as door:
            decided = await _decided(door, chosen, said)
            first = time.perf_counter() - clocked
            run = await _until(door, f"/api/runs/{decided['run']}", said, "ended_at")
            completed = time.perf_counter() - clocked
            timer = await _until(door, f"/api/approvals/{late}", said, "decision")
    finally:
        await process.server.kill()
    return {
        "waiting": waiting,
        "answers_s": round(answers, 3),
        "first_decision_s": round(first, 3),
        "first_completed_s": round(completed, 3),
        "run_ended": run["status"],
        "first_due_timer_late_s": round(_since(began, timer["decision"]["at"]), 3),
    }


async def _decided(door: Connection, approval: str, said: dict[str, str]) -> Any:
    """The approval, once a vote has decided it."""
    voted = await door.post(
        f"/api/approvals/{approval}/votes", {"choice": "approve", "version": 1}, said
    )
    if voted.status != 200 or voted.json["status"] != "approved":
        raise RuntimeError(f"The vote was answered {voted.status}: {voted.body[:300]!r}")
    return (await door.get(f"/api/approvals/{approval}", said)).json


async def _until(door: Connection, path: str, said: dict[str, str], field: str) -> Any:
    """What `path` answers once its `field` is there."""
    while True:
        found = (await door.get(path, said)).json
        if found[field] is not None:
            return found
        await SystemClock().sleep(timedelta(milliseconds=5))


def _since(began: datetime, moment: str) -> float:
    return (from_iso(moment) - began).total_seconds()
