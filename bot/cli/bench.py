"""`signoff bench`: what this installation can do; nothing else should run on the machine meanwhile."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli.terminal import AsJson, print_json, print_line, told, usage

if TYPE_CHECKING:
    from bot.bench.place import Place

verbs = typer.Typer(
    name="bench",
    help="Measure this installation, on a database of its own.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Where = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="An empty SQLite file or PostgreSQL, or one that was made by this; a new file "
        "unless given.",
    ),
]
Runs = Annotated[int, typer.Option(min=1, help="How many runs.")]
Waiting = Annotated[int, typer.Option("--waiting", min=1, help="How many runs wait.")]
Concurrency = Annotated[int, typer.Option(min=1, help="How many runs at once.")]
Probes = Annotated[int, typer.Option(min=1, help="How many are timed.")]

LEAD_S: Final = 12  # to start a server in; and a second more for so many runs to be copied:
COPIED_A_S: Final = 2_500


@verbs.command("gated-runs")
def gated_runs(
    *,
    runs: Runs = 4000,
    concurrency: Concurrency = 64,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes; more than one on PostgreSQL.")
    ] = 1,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """Runs a second: start, a step, an approval, a vote, a step, done."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import crowd, gated

        loop = gated.Loop(runs=runs, concurrency=concurrency)
        if workers == 1:
            return await gated.closed_loop(at, loop)
        if not at.is_shared:
            raise usage("A SQLite file has one owner: --workers needs a PostgreSQL.")
        return await crowd.together(at, loop, workers=workers)

    _measure("gated-runs", measured, database, as_json=as_json)


@verbs.command()
def latency(*, probes: Probes = 200, database: Where = None, as_json: AsJson = False) -> None:
    """From the vote to the completed run, one at a time."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import gated

        return await gated.latency(at, probes=probes)

    _measure("latency", measured, database, as_json=as_json)


@verbs.command()
def growth(
    *,
    steps: Annotated[int, typer.Option(min=10, help="How many steps the longest run has.")] = 1000,
    probes: Probes = 10,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """From the vote to the completed run, when the run has a long journal to be replayed."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import gated

        return await gated.growth(at, steps=steps, probes=probes)

    _measure("growth", measured, database, as_json=as_json)


@verbs.command("budgets")
def budgets_cost(
    *,
    runs: Runs = 2000,
    concurrency: Concurrency = 16,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """What budgets add to a gated run: the same with and without them, in turn."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import budgets

        return await budgets.with_and_without(at, runs=runs, concurrency=concurrency)

    _measure("budgets", measured, database, as_json=as_json)


@verbs.command()
def waiting(
    *,
    waiting: Annotated[int, typer.Option(min=200, help="How many runs wait.")] = 100_000,
    probes: Probes = 200,
    pages: Annotated[int, typer.Option(min=1, help="How often each page is asked for.")] = 50,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """What it costs to have many runs wait for people: memory, disk, decisions and pages."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import waiting as waits

        sizes = waits.Sizes(waiting=waiting, probes=probes, pages=pages)
        return await waits.waiting(at, sizes)

    _measure("waiting", measured, database, as_json=as_json)


@verbs.command()
def restart(*, waiting: Waiting = 10_000, database: Where = None, as_json: AsJson = False) -> None:
    """How soon after a kill the first of many waiting runs is decided, and a due timer has fired."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import restart as restarts

        return await restarts.restart(at, waiting=waiting)

    _measure("restart", measured, database, as_json=as_json)


@verbs.command()
def expiries(
    *,
    waiting: Waiting = 10_000,
    lead: Annotated[
        int | None,
        typer.Option(min=3, help="Seconds until the deadline; long enough unless given."),
    ] = None,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """Deadlines that are all due at one instant: until all are decided, and the API meanwhile."""
    ahead = timedelta(seconds=lead or LEAD_S + waiting // COPIED_A_S)

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import expiries as deadlines

        return await deadlines.expiries(at, waiting=waiting, lead=ahead)

    _measure("expiries", measured, database, as_json=as_json)


@verbs.command()
def verify(*, waiting: Waiting = 40_000, database: Where = None, as_json: AsJson = False) -> None:
    """How fast the record is verified, and in how much memory."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import verifying

        return await verifying.verifying(at, waiting=waiting)

    _measure("verify", measured, database, as_json=as_json)


@verbs.command()
def switch(
    *,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes drive.")] = 4,
    busy: Annotated[int, typer.Option(min=2, help="How many runs take steps.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="How often it is engaged.")] = 5,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """How soon after a kill switch is engaged the last effect of any process has happened."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import switching

        share = workers if at.is_shared else 1
        return await switching.switch(at, workers=share, busy=busy, rounds=rounds)

    _measure("switch", measured, database, as_json=as_json)


@verbs.command()
def storm(
    *,
    voters: Annotated[int, typer.Option(min=2, help="How many people vote at once.")] = 1000,
    quorum: Annotated[int, typer.Option(min=1, help="How many of them decide.")] = 1,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """Everybody votes on one approval at the same moment, over HTTP."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import storm as storms

        return await storms.storm(at, voters=voters, quorum=quorum)

    _measure("storm", measured, database, as_json=as_json)


@verbs.command()
def press(*, probes: Probes = 200, database: Where = None, as_json: AsJson = False) -> None:
    """From a signed Slack press over HTTP to its answer, one at a time."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import channels as slack

        return await slack.channels(at, probes=probes, rate=0, seconds=0)

    _measure("press", measured, database, as_json=as_json)


@verbs.command()
def channels(
    *,
    probes: Probes = 200,
    rate: Annotated[int, typer.Option(min=1, help="How many presses a second.")] = 200,
    seconds: Annotated[int, typer.Option(min=1, help="For how long.")] = 5,
    database: Where = None,
    as_json: AsJson = False,
) -> None:
    """Signed Slack presses over HTTP: one at a time, and many a second."""

    async def measured(at: "Place") -> dict[str, object]:
        from bot.bench import channels as slack

        return await slack.channels(at, probes=probes, rate=rate, seconds=seconds)

    _measure("channels", measured, database, as_json=as_json)


def _measure(
    mode: str,
    measurement: Callable[["Place"], Awaitable[dict[str, object]]],
    database: str | None,
    *,
    as_json: bool,
) -> None:
    async def run(at: "Place") -> dict[str, object]:
        await at.check()
        return await measurement(at)

    with told():
        # What is measured takes half a second to import, and no other verb needs it.
        from bot.bench.place import place

        with place(database) as at:
            found = asyncio.run(run(at))
        about = {"product": "signoff", "mode": mode, "database": at.kind, "cores": os.cpu_count()}
        if as_json:
            return print_json({**about, **found})
        for name, value in {**about, **found}.items():
            print_line(f"{name:24} {value if isinstance(value, str) else json.dumps(value)}")
        return None
