"""The floor: the least durable work that a gated run needs, through SQLAlchemy and aiosqlite with group commit.

Nothing else is done: no rules, no hashes, no leases. Rows of about 200 bytes; four durable boundaries a run.
Needs `sqlalchemy` and `aiosqlite`. Run: python floor_gated.py gated-runs|latency RUNS CONCURRENCY FOLDER
"""

import asyncio
import json
import sys
import time
import uuid
from pathlib import Path

import sqlalchemy as sa
from measuring import closed_loop, each, latencies, report
from sqlalchemy.ext.asyncio import create_async_engine

BATCH = 256
PAYLOAD = json.dumps({"amount": 120, "who": "x" * 150})
TABLES = (
    "CREATE TABLE runs (id TEXT PRIMARY KEY, workflow TEXT, status TEXT, input TEXT, output TEXT, "
    "wake_at REAL, updated REAL)",
    "CREATE INDEX runs_due ON runs (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE TABLE journal (run TEXT, position INT, name TEXT, result TEXT, at REAL, "
    "PRIMARY KEY (run, position)) WITHOUT ROWID",
    "CREATE TABLE approvals (id TEXT PRIMARY KEY, run TEXT, status TEXT, payload TEXT, "
    "deadline REAL, decided_by TEXT, decided_at REAL)",
)
BOUNDARIES = {
    "start": [
        "INSERT INTO runs (id, workflow, status, input, updated) "
        "VALUES (:run, 'gated', 'running', :payload, :now)"
    ],
    "wait": [
        "INSERT INTO journal VALUES (:run, 1, 'a', :payload, :now)",
        "INSERT INTO approvals (id, run, status, payload, deadline) "
        "VALUES (:approval, :run, 'open', :payload, 4e9)",
        "UPDATE runs SET status = 'waiting', wake_at = 4e9, updated = :now WHERE id = :run",
    ],
    "decide": [
        "UPDATE approvals SET status = 'approved', decided_by = 'me', decided_at = :now "
        "WHERE id = :approval AND status = 'open'",
        "UPDATE runs SET status = 'ready', wake_at = NULL, updated = :now "
        "WHERE id = :run AND status = 'waiting'",
    ],
    "end": [
        "INSERT INTO journal VALUES (:run, 2, 'approval', :payload, :now)",
        "INSERT INTO journal VALUES (:run, 4, 'b', :payload, :now)",
        "UPDATE runs SET status = 'completed', output = :payload, updated = :now WHERE id = :run",
    ],
}


class Store:
    """Everything that waits is written with one commit."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self._waiting = []
        self._is_there = asyncio.Event()
        self._statements = {
            kind: [(sa.text(text), set(sa.text(text)._bindparams)) for text in texts]
            for kind, texts in BOUNDARIES.items()
        }

    async def write(self, kind: str, run: str) -> None:
        """Return once the boundary is durable."""
        done = asyncio.get_running_loop().create_future()
        values = {"run": run, "approval": f"a{run}", "payload": PAYLOAD, "now": time.time()}
        self._waiting.append((kind, values, done))
        self._is_there.set()
        await done

    async def commit_for_ever(self) -> None:
        """Take what waits, and commit it together."""
        while True:
            await self._is_there.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._is_there.clear()
            kinds = {}
            for kind, values, _done in batch:
                kinds.setdefault(kind, []).append(values)
            for kind, rows in kinds.items():
                for statement, needed in self._statements[kind]:
                    given = [{name: row[name] for name in needed} for row in rows]
                    await self._connection.execute(statement, given)
            await self._connection.commit()
            for _kind, _values, done in batch:
                done.set_result(None)


async def main(mode: str, runs: int, concurrency: int, folder: Path) -> None:
    """Measure."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/{uuid.uuid4().hex}.db")

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _durable(connection, _record) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    connection = await engine.connect()
    for table in TABLES:
        await connection.execute(sa.text(table))
    await connection.commit()
    store = Store(connection)
    committing = asyncio.create_task(store.commit_for_ever())

    async def start(_index: int) -> str:
        run = uuid.uuid4().hex
        await store.write("start", run)
        await store.write("wait", run)
        return run

    async def decide(run: str) -> None:
        await store.write("decide", run)
        await store.write("end", run)

    async def one(index: int) -> None:
        await decide(await start(index))

    await each(range(100), 10, one)
    if mode == "gated-runs":
        figures = await closed_loop(runs, concurrency, one)
        ended = "SELECT count(*) FROM runs WHERE status = 'completed'"
        committing.cancel()
        if (await connection.execute(sa.text(ended))).scalar() != runs + 100:
            raise SystemExit("A run did not end as it should.")
    else:
        figures = await latencies(runs, start, decide)
    report("floor", mode, "sqlite", figures)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
