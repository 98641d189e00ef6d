"""`signoff bench`: each measurement prints one JSON line; nothing else may run on the machine meanwhile."""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from bot.bench import gated

app = typer.Typer(help="Measure this installation.", no_args_is_help=True)

Runs = Annotated[int, typer.Option(help="How many runs.", min=1)]
Concurrency = Annotated[int, typer.Option(help="How many runs at once.", min=1)]
Probes = Annotated[int, typer.Option(help="How many decisions are timed.", min=1)]


@app.command("gated-runs")
def gated_runs(runs: Runs = 4000, concurrency: Concurrency = 64) -> None:
    """Runs a second: start, a step, an approval, a vote, a step, done."""
    _measure(lambda path: gated.closed_loop(path, runs=runs, concurrency=concurrency))


@app.command()
def latency(probes: Probes = 200) -> None:
    """From the vote to the completed run, one at a time."""
    _measure(lambda path: gated.latency(path, probes=probes))


@app.command()
def waiting(runs: Runs = 10_000, probes: Probes = 200) -> None:
    """What it costs to have many runs wait for people."""
    _measure(lambda path: gated.waiting(path, runs=runs, probes=probes))


@app.command()
def restart(runs: Runs = 10_000) -> None:
    """How soon after a kill the first of many waiting runs is decided."""
    _measure(lambda path: gated.restart(path, runs=runs))


def _measure(measurement: Callable[[Path], Awaitable[dict[str, object]]]) -> None:
    async def run(path: Path) -> dict[str, object]:
        return await measurement(path)

    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder) / "bench.db"))
    print(json.dumps({"product": "signoff", "database": "sqlite", **found}))


if __name__ == "__main__":
    app()
