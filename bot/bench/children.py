"""Measurements in a process of their own, so that memory and the start of a process are told truly."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.bench.figures import Figures
from bot.bench.place import Place

_HOME: Final = Path(__file__).resolve().parents[2]  # from where this package is found


async def child(place: Place, what: str, given: Mapping[str, object]) -> Process:
    """Begin `what` at `place` in a process of its own; it is told what is `given` on its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.child", what, place.url, str(place.folder),
        stdin=PIPE, stdout=PIPE, limit=1 << 24,
        cwd=_HOME,
    )  # fmt: skip
    if process.stdin is not None:
        process.stdin.write(json.dumps(given).encode() + b"\n")
        await process.stdin.drain()
    return process


async def line_of(process: Process) -> Figures:
    """The next line that the child says.

    Raises:
        RuntimeError: if it ended instead.
    """
    said = b"" if process.stdout is None else await process.stdout.readline()
    if not said:
        raise RuntimeError(f"A measuring process ended with {await process.wait()}.")
    found: Figures = json.loads(said)
    return found


async def measured_apart(place: Place, what: str, given: Mapping[str, object]) -> Figures:
    """The figures of `what`, from a process of its own."""
    process = await child(place, what, given)
    found = await line_of(process)
    await process.wait()
    return found
