"""Measures deadlines that are due at one instant: until all are decided, and what the API answers meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from bot.bench.figures import Figures, summary
from bot.bench.filling import copies
from bot.bench.http_calls import Connection, bearer, connected
from bot.bench.place import Place
from bot.bench.serving import HOST, serving, sign_in
from bot.wiring import running
from engine.clock import SystemClock, iso
from engine.ids import DEFAULT_TENANT, RunId
from engine.services import approvals
from engine.services.approvals import Request
from engine.store.database import Transaction
from engine.store.measuring import Ended, ended

BASELINE: Final = timedelta(seconds=3)  # of calm, looked at before the instant
CALM: Final = timedelta(milliseconds=10)  # between two questions to the API
GIVES_UP: Final = timedelta(seconds=300)
LIST: Final = "/api/approvals?status=open&limit=1"


async def expiries(place: Place, *, waiting: int, lead: timedelta) -> Figures:
    """`waiting` deadlines at one instant, `lead` from now, in a server that delivers what follows too."""
    tokens = await sign_in(place)
    said = bearer(tokens.terminals["bench"])
    async with _receiver() as callback_url:
        due = await _armed(place, callback_url, waiting=waiting, lead=lead)
        async with serving(place, {"SIGNOFF_CALLBACK_ALLOW_NETS": "127.0.0.0/8"}) as server:
            # A connection that is idle for long is closed.
            await SystemClock().sleep_until(due - BASELINE)
            async with connected(server.url) as door:
                before, meanwhile = await _watched(door, said, due)
                await _all_ended(door, said, due + GIVES_UP)
    async with running(place.settings, authored={}) as it:
        found = await it.application.database.read(lambda tx: ended(tx, due))
    return {
        "waiting": waiting,
        **_told(found, due),
        "api_before": summary(before) if before else None,
        "api_meanwhile": summary(meanwhile) if meanwhile else None,
    }


def _told(found: Ended, due: datetime) -> Figures:
    def after(moment: datetime | None) -> float | None:
        return None if moment is None else round((moment - due).total_seconds(), 3)

    return {
        "due_at": iso(due),
        "decided": found.decided,
        "decided_twice": found.decided - found.expired,
        "outboxed": found.outboxed,
        "runs_ended": found.runs_ended,
        "first_decided_s": after(found.first_decided_at),
        "all_decided_s": after(found.last_decided_at),
        "all_outboxed_s": after(found.last_outboxed_at),
        "all_runs_ended_s": after(found.last_run_ended_at),
        "delivered_meanwhile": found.delivered,
    }


async def _armed(place: Place, callback_url: str, *, waiting: int, lead: timedelta) -> datetime:
    """Have `waiting` approvals open, whose only rung is due at the moment that is given back."""
    request = Request(
        title="Go on?",
        action="bench",
        approvers="person:bench",
        ladder=[f"reject after {max(1, round(lead.total_seconds()))}s"],
        callback_url=callback_url,
    )
    async with running(place.settings, authored={}) as it:
        database = it.application.database

        def ask(tx: Transaction) -> tuple[RunId, datetime | None]:
            row = approvals.ask(tx, DEFAULT_TENANT, request, started_by="key:bench", owner=None)
            return row.run, row.expires_at

        run, due = await database.write(ask)
        async for _copied in copies(database, run, waiting - 1):
            pass
    if due is None:
        raise RuntimeError("An approval with a ladder has a deadline.")
    return due


async def _watched(
    door: Connection, said: dict[str, str], due: datetime
) -> tuple[list[float], list[float]]:
    """What the API took before the instant and from it on, until nothing is open any more."""
    before: list[float] = []
    meanwhile: list[float] = []
    clock = SystemClock()
    while clock.now() < due + GIVES_UP:
        is_due = clock.now() >= due
        answer = await door.get(LIST, said)
        (meanwhile if is_due else before).append(answer.took)
        if is_due and not answer.json["approvals"]:
            break
        await clock.sleep(CALM)
    return before, meanwhile


async def _all_ended(door: Connection, said: dict[str, str], until: datetime) -> None:
    clock = SystemClock()
    while clock.now() < until:
        runs: dict[str, int] = (await door.get("/api/stats", said)).json["runs"]
        if not {"created", "running", "waiting", "rolling_back"} & {
            state for state, count in runs.items() if count
        }:
            return
        await clock.sleep(CALM)


@asynccontextmanager
async def _receiver() -> AsyncGenerator[str]:
    """Takes every callback and says that it was received."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is asked is of no interest; whoever is killed in the middle of it comes no further.
        with suppress(EOFError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/callbacks"
    finally:
        server.close()
