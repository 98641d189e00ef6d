"""Several processes on one PostgreSQL, each of which starts, drives and decides its share of gated runs."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.bench.children import child, line_of
from bot.bench.figures import Figures, server_cpu_s
from bot.bench.gated import Loop, per_run, warm_up
from bot.bench.ground import Elsewhere, Moments, ground
from bot.bench.lanes import each
from bot.bench.place import Place
from engine.store.measuring import server_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one of `workers` processes does."""

    number: int
    workers: int
    runs: int
    concurrency: int


async def together(place: Place, loop: Loop, *, workers: int) -> Figures:
    """The closed loop, shared out: runs a second from the first beginning to the last end."""
    shares = [
        Share(
            number=number,
            workers=workers,
            runs=loop.runs // workers,
            concurrency=max(1, loop.concurrency // workers),
        )
        for number in range(workers)
    ]
    processes: list[Process] = []
    try:
        for each_share in shares:
            process = await child(place, "share", asdict(each_share))
            processes.append(process)  # at once: what has begun is ended below
        await _all_at(processes)
        backend = int(str((await _all_at(processes))[0]["backend"]))
        before, began = server_cpu_s(backend), time.perf_counter()
        used = [float(str((await line_of(process))["cpu_s"])) for process in processes]
        took = time.perf_counter() - began
        after = server_cpu_s(backend)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
    runs = sum(share.runs for share in shares)
    return {
        "runs": runs,
        "concurrency": loop.concurrency,
        "workers": workers,
        "runs_s": round(runs / took, 1),
        "cpu_ms_run": round(sum(used) / runs * 1e3, 3),
        "server_cpu_ms_run": per_run(before, after, runs),
    }


async def share(place: Place, mine: Share) -> Figures:
    """One process's share: says that it is ready, waits for a line, and does it."""
    async with ground(place) as engine:
        moments = engine.moments
        async with _heard(_socket(place, mine.number), moments):
            await _barrier({"listening": True})
            moments.elsewhere = await _telling(place, mine)
            await warm_up(engine)
            await _barrier({"backend": await engine.database.read(server_process)})
            used = time.process_time()
            await each(range(mine.runs), mine.concurrency, lambda _index: engine.one())
            print(json.dumps({"cpu_s": time.process_time() - used}), flush=True)
            await asyncio.Event().wait()  # drives what others started, until it is killed
    return {}


async def _barrier(said: Figures) -> None:
    """Say how far this process is, and wait until all are."""
    print(json.dumps(said), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def _telling(place: Place, mine: Share) -> Elsewhere:
    """Tells the other processes."""
    others = [
        (await asyncio.open_unix_connection(_socket(place, number)))[1]
        for number in range(mine.workers)
        if number != mine.number
    ]

    def elsewhere(kind: str, run: str, what: str) -> None:
        line = json.dumps([kind, run, what]).encode() + b"\n"
        for other in others:
            other.write(line)

    return elsewhere


def _socket(place: Place, number: int) -> Path:
    return place.folder / f"{number}.sock"


async def _all_at(processes: Sequence[Process]) -> list[Figures]:
    """What each said at a barrier; then all may go on."""
    said = [await line_of(process) for process in processes]
    for process in processes:
        if process.stdin is not None:
            process.stdin.write(b"go\n")
    return said


@asynccontextmanager
async def _heard(path: Path, moments: Moments) -> AsyncGenerator[None]:
    """Tell `moments` what the other processes hear of runs that were started here."""

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            kind, run, what = json.loads(line)
            moments.told(kind, run, what)

    server = await asyncio.start_unix_server(listen, path)
    try:
        yield
    finally:
        server.close()
