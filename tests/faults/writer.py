"""A process that writes one row after the other into a SQLite file, and says what it was told of each."""

import asyncio
import sys
from pathlib import Path

from engine.clock import SystemClock
from engine.errors import EngineError
from engine.ids import SystemIds
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.faults.rows import keep


async def write(path: Path, rows: int) -> None:
    clock, ids, tokens = SystemClock(), SystemIds(), Tokens(bytes(32))
    async with opened(path, clock=clock, ids=ids, tokens=tokens) as database:
        for number in range(rows):
            key = f"k{number:03}"
            try:
                await database.write(keep(key))
            except EngineError as error:
                sys.stdout.write(f"{key} {error.code}\n")
            else:
                sys.stdout.write(f"{key} kept\n")


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
