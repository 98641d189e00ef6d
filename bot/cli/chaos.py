"""`signoff chaos`: real processes on one PostgreSQL, faults of every kind, and an independent checker."""

import asyncio
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.terminal import ExitCode, print_json, say, told, usage
from engine.ids import SystemIds
from engine.rules.durations import parse_duration
from engine.store.postgres_url import is_postgres, normalised

if TYPE_CHECKING:
    from bot.chaos.control import PgCtl
    from bot.chaos.ground import Shape
    from bot.chaos.playing import Plan

QUIET_WITHIN = timedelta(minutes=5)

Where = Annotated[str, typer.Argument(metavar="URL", help="An empty database of PostgreSQL.")]
Seed = Annotated[str | None, typer.Option(help="Of an earlier run, to draw the same lots again.")]
Runs = Annotated[int, typer.Option(min=1, help="At least so many; more while faults last.")]
Rate = Annotated[float, typer.Option(min=0.1, help="Runs begun in a second.")]
Within = Annotated[str, typer.Option(help="The time over which the faults are spread.")]
Servers = Annotated[int, typer.Option(min=1, help="Processes of `signoff serve --doors-only`.")]
Workers = Annotated[int, typer.Option(min=2, help="Processes of `signoff worker`.")]
Lease = Annotated[str, typer.Option(help="SIGNOFF_LEASE_FOR of every process.")]
WorkerKills = Annotated[int, typer.Option(min=0, help="kill -9 of a worker.")]
ServerKills = Annotated[int, typer.Option(min=0, help="kill -9 of a server.")]
PostgresKills = Annotated[int, typer.Option(min=0, help="Of PostgreSQL; needs --pg-data.")]
Zombies = Annotated[int, typer.Option(min=0, help="Workers stopped past their lease.")]
Cuts = Annotated[int, typer.Option(min=0, help="Times that connections are ended.")]
Program = Annotated[
    Path | None, typer.Option(help="The pg_ctl of that PostgreSQL; the one in PATH otherwise.")
]
Data = Annotated[
    Path | None, typer.Option(help="Its data folder: it may be killed and started again.")
]
Votes = Annotated[int, typer.Option(min=0, help="Instead: so many votes at once on one approval.")]
AtOnce = Annotated[int, typer.Option(min=0, help="How many of them press together; 0 is all.")]
Hasten = Annotated[
    bool, typer.Option("--hasten", help="Put the clock forward at the end, and wait less.")
]


def chaos(
    url: Where,
    *,
    seed: Seed = None,
    runs: Runs = 150,
    rate: Rate = 4.0,
    within: Within = "60s",
    servers: Servers = 2,
    workers: Workers = 4,
    lease: Lease = "3s",
    worker_kills: WorkerKills = 12,
    server_kills: ServerKills = 2,
    postgres_kills: PostgresKills = 0,
    zombies: Zombies = 10,
    cuts: Cuts = 4,
    pg_ctl: Program = None,
    pg_data: Data = None,
    votes: Votes = 0,
    at_once: AtOnce = 0,
    hasten: Hasten = False,
) -> None:
    """Start servers and workers on an empty PostgreSQL, break everything, and check what is left.

    Prints one line of JSON. Exit code 1 if an invariant broke, or too little happened to prove any.
    """
    with told():
        _check(url, postgres_kills, pg_data)
        from bot.chaos.ground import Shape
        from bot.chaos.nemesis import Wanted
        from bot.chaos.playing import Plan

        drawn = seed or SystemIds().secret()[:12]
        say(f"The lots are drawn from --seed {drawn}")
        shape = Shape(servers=servers, workers=workers, lease=parse_duration(lease))
        if votes:
            raise typer.Exit(_stormed(normalised(url), shape, (votes, at_once), drawn))
        wanted = Wanted(
            worker_kills=worker_kills, server_kills=server_kills, postgres_kills=postgres_kills,
            zombies=zombies, cuts=cuts, within=parse_duration(within), lease=shape.lease,
        )  # fmt: skip
        plan = Plan(
            seed=drawn, shape=shape, runs=runs, every=timedelta(seconds=1 / rate),
            quiet_within=QUIET_WITHIN, hastens=hasten, wanted=wanted,
        )  # fmt: skip
        control = None if pg_data is None else _control(pg_ctl, pg_data)
        raise typer.Exit(_played(normalised(url), plan, control))


def _check(url: str, postgres_kills: int, data: Path | None) -> None:
    if not is_postgres(url):
        raise usage("Chaos needs a PostgreSQL: postgresql://user:password@host/empty_database.")
    if postgres_kills and data is None:
        raise usage("--postgres-kills needs --pg-data, the folder of a server on this machine.")


def _control(program: Path | None, data: Path) -> "PgCtl":
    from bot.chaos.control import PgCtl

    found = program or Path(shutil.which("pg_ctl") or "pg_ctl")
    control = PgCtl(found, data.resolve(), threading.Event().wait)
    control.check()
    return control


def _stormed(url: str, shape: "Shape", votes: tuple[int, int], seed: str) -> ExitCode:
    from bot.chaos.voting import storm

    number, at_once = votes
    stormed = asyncio.run(storm(url, shape, number=number, at_once=at_once or None, seed=seed))
    print_json(stormed.line)
    return ExitCode.DONE if stormed.is_well else ExitCode.FAILED


def _played(url: str, plan: "Plan", control: "PgCtl | None") -> ExitCode:
    from bot.chaos.playing import play

    report = asyncio.run(play(url, plan, control))
    print_json(report.line)
    return ExitCode.DONE if report.is_well else ExitCode.FAILED
