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
    from bot.chaos.playing import Plan

Count = Annotated[int, typer.Option(min=0)]


def chaos(
    url: Annotated[str, typer.Argument(metavar="URL", help="An empty database of PostgreSQL.")],
    *,
    seed: Annotated[
        str | None, typer.Option(help="Of an earlier run, to draw the same lots again.")
    ] = None,
    runs: Annotated[
        int, typer.Option(min=1, help="At least so many; more while faults last.")
    ] = 150,
    rate: Annotated[float, typer.Option(min=0.1, help="Runs begun in a second.")] = 4.0,
    within: Annotated[str, typer.Option(help="The time over which the faults are spread.")] = "35s",
    servers: Annotated[int, typer.Option(min=1)] = 2,
    workers: Annotated[int, typer.Option(min=2)] = 4,
    lease: Annotated[str, typer.Option(help="SIGNOFF_LEASE_FOR of every process.")] = "2s",
    worker_kills: Count = 12,
    server_kills: Count = 2,
    postgres_kills: Annotated[int, typer.Option(min=0, help="Needs --pg-data.")] = 0,
    zombies: Annotated[int, typer.Option(min=0, help="Workers stopped past their lease.")] = 10,
    cuts: Annotated[int, typer.Option(min=0, help="Times that connections are ended.")] = 4,
    pg_ctl: Annotated[
        Path | None, typer.Option(help="The pg_ctl of that PostgreSQL; the one in PATH otherwise.")
    ] = None,
    pg_data: Annotated[
        Path | None, typer.Option(help="Its data folder: it may be killed and started again.")
    ] = None,
    votes: Annotated[
        int, typer.Option(min=0, help="Instead: so many votes at once on one approval.")
    ] = 0,
    hasten: Annotated[
        bool, typer.Option("--hasten", help="Put the clock forward at the end, and wait less.")
    ] = False,
) -> None:
    """Start servers and workers on an empty PostgreSQL, break everything, and check what is left.

    Prints one line of JSON. Exit code 1 if an invariant broke, or too little happened to prove any.
    """
    with told():
        if not is_postgres(url):
            raise usage("Chaos needs a PostgreSQL: postgresql://user:password@host/empty_database.")
        control = None if pg_data is None else _control(pg_ctl, pg_data)
        if postgres_kills and control is None:
            raise usage("--postgres-kills needs --pg-data, the folder of a server on this machine.")
        from bot.chaos.ground import Shape
        from bot.chaos.nemesis import Wanted
        from bot.chaos.playing import Plan
        from bot.chaos.voting import storm

        dice = seed or SystemIds().secret()[:12]
        say(f"The lots are drawn from --seed {dice}")
        shape = Shape(servers=servers, workers=workers, lease=parse_duration(lease))
        if votes:
            line = asyncio.run(storm(normalised(url), shape, number=votes, seed=dice))
            print_json(line.line)
            raise typer.Exit(ExitCode.DONE if line.is_well else ExitCode.FAILED)
        plan = Plan(
            seed=dice,
            shape=shape,
            runs=runs,
            every=timedelta(seconds=1 / rate),
            quiet_within=timedelta(minutes=5),
            hastens=hasten,
            wanted=Wanted(
                worker_kills=worker_kills,
                server_kills=server_kills,
                postgres_kills=postgres_kills,
                zombies=zombies,
                cuts=cuts,
                within=parse_duration(within),
                lease=shape.lease,
            ),
        )
        raise typer.Exit(_played(normalised(url), plan, control))


def _control(program: Path | None, data: Path) -> "PgCtl":
    from bot.chaos.control import PgCtl

    found = program or Path(shutil.which("pg_ctl") or "pg_ctl")
    control = PgCtl(found, data.resolve(), threading.Event().wait)
    control.check()
    return control


def _played(url: str, plan: "Plan", control: "PgCtl | None") -> ExitCode:
    from bot.chaos.playing import play

    told_of = asyncio.run(play(url, plan, control))
    print_json(told_of.line)
    return ExitCode.DONE if told_of.is_well else ExitCode.FAILED
