"""Measures on PostgreSQL what a run and an idle worker cost, for `scale_model.py`, and keeps it as JSON.

.venv/bin/python benchmarks/measure_constants.py
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Engine, event
from with_postgres import durable

from bot.bench import flows
from bot.bench.ground import Ground, ground
from bot.bench.lanes import each
from bot.bench.place import Place, place
from bot.wiring import running
from signoff.registry import registered

ROOT: Final = Path(__file__).resolve().parents[1]
RESULT: Final = ROOT / "benchmarks" / "results" / "constants.json"
COMMAND: Final = "python benchmarks/measure_constants.py"
RUNS: Final = 600
AT_ONCE: Final = 32
IDLE_S: Final = 20
SETTLED_S: Final = 2.5  # after which PostgreSQL's own counts are there
COUNTS: Final = """SELECT (SELECT sum(xact_commit) FROM pg_stat_database)::float8 AS transactions,
 pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS writes,
 pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal_bytes,
 pg_database_size(current_database())::float8 AS disk_bytes,
 (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())::float8 AS connections"""


@dataclass
class Heard:
    """What went to the server from this process, and what the server told everybody."""

    statements: int = 0
    notifications: int = 0
    notified_bytes: int = 0

    def count(self, *_arguments: Any) -> None:
        self.statements += 1

    def hear(self, _connection: Any, _sender: int, _channel: str, payload: str) -> None:
        self.notifications += 1
        self.notified_bytes += len(payload)


@dataclass
class Meter:
    """Counts between two moments."""

    connection: Any
    heard: Heard

    async def counts(self) -> dict[str, float]:
        await asyncio.sleep(SETTLED_S)
        found = await self.connection.fetchrow(COUNTS)
        return {**dict(found), **vars(self.heard), "seconds": time.perf_counter(),
                "cpu_s": time.process_time()}  # fmt: skip


@asynccontextmanager
async def metered(url: str) -> AsyncGenerator[Meter]:
    """A meter on the database at `url`."""
    heard = Heard()
    connection: Any = await asyncpg.connect(url)
    await connection.add_listener("signoff", heard.hear)
    event.listen(Engine, "before_cursor_execute", heard.count)
    try:
        yield Meter(connection, heard)
    finally:
        event.remove(Engine, "before_cursor_execute", heard.count)
        await connection.close()


def between(
    before: dict[str, float], after: dict[str, float], per: float, *, idle: dict[str, float]
) -> dict[str, float]:
    """What one of `per` things cost beyond what happens anyway."""
    seconds = after["seconds"] - before["seconds"]
    return {
        name: round((after[name] - before[name] - idle.get(name, 0.0) * seconds) / per, 4)
        for name in before
        if name not in {"seconds", "connections"}
    }


async def idle(where: Place, workers: int) -> dict[str, float]:
    """What so many workers do in a second in which nothing happens."""
    authored = {flows.WORKFLOW: registered()[flows.WORKFLOW]}
    async with AsyncExitStack() as stack:
        all_of_them = [
            await stack.enter_async_context(running(where.settings, authored=authored))
            for _ in range(workers)
        ]
        meter = await stack.enter_async_context(metered(where.url))
        async with asyncio.TaskGroup() as group:
            at_work = [group.create_task(one.work()) for one in all_of_them]
            before = await meter.counts()
            await asyncio.sleep(IDLE_S)
            after = await meter.counts()
            for task in at_work:
                task.cancel()
    cost = between(before, after, after["seconds"] - before["seconds"], idle={})
    return {**cost, "connections": after["connections"] - 1}


async def busy(where: Place, quiet: dict[str, float]) -> dict[str, dict[str, float]]:
    """What a run costs on its way to its approval, and from there to its end."""
    async with ground(where) as engine, metered(where.url) as meter:
        await each(range(AT_ONCE), AT_ONCE, lambda _index: engine.one())
        begun = await meter.counts()
        held: list[tuple[Any, str]] = []

        async def start(_index: int) -> None:
            held.append(await engine.start())

        await each(range(RUNS), AT_ONCE, start)
        waiting = await meter.counts()
        await each(range(RUNS), AT_ONCE, lambda index: decided(engine, held[index]))
        done = await meter.counts()
    return {
        "to_wait": between(begun, waiting, RUNS, idle=quiet),
        "to_end": between(waiting, done, RUNS, idle=quiet),
    }


async def decided(engine: Ground, one: tuple[Any, str]) -> None:
    """Decide one that waits."""
    await engine.decide(*one)


async def commits_a_second(url: str) -> float:
    """How many of the smallest possible commits the server takes, from sixteen connections."""
    pool: Any = await asyncpg.create_pool(url, min_size=16, max_size=16)
    async with pool:
        await pool.execute("CREATE TABLE small (id int PRIMARY KEY, n int)")
        await pool.execute("INSERT INTO small SELECT i, 0 FROM generate_series(0, 15) i")
        began = time.perf_counter()

        async def write(index: int) -> None:
            await pool.execute("UPDATE small SET n = n + 1 WHERE id = $1", index % 16)

        await each(range(8_000), 16, write)
        return round(8_000 / (time.perf_counter() - began), 1)


async def measured(urls: list[str]) -> dict[str, Any]:
    """All of it, each on a database of its own."""
    quiet: dict[int, dict[str, float]] = {}
    for workers in (1, 2):
        with place(urls[workers]) as where:
            quiet[workers] = await idle(where, workers)
    with place(urls[0]) as where:
        run = await busy(where, quiet[1])
    return {
        "command": COMMAND,
        "date": datetime.now(UTC).date().isoformat(),
        "runs": RUNS,
        "run": run,
        "idle": {str(workers): found for workers, found in quiet.items()},
        "server": {"commits_s": await commits_a_second(urls[3])},
    }


def main() -> None:
    """Measure, and keep the figures."""
    with durable() as server:
        urls = [server.url(server.make()) for _ in range(4)]
        found = asyncio.run(measured(urls))
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
