"""Servers, workers and PostgreSQL are killed, stopped and cut off under load: no invariant breaks."""

from datetime import timedelta
from threading import Event

import pytest

from bot.chaos.control import PgCtl
from bot.chaos.ground import Shape
from bot.chaos.nemesis import Wanted
from bot.chaos.playing import Plan, play
from bot.chaos.voting import storm
from bot.cli.terminal import print_json
from engine.errors import Invalid, Refused
from tests.postgres.server import Server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

LEASE = timedelta(seconds=2)
SHAPE = Shape(servers=2, workers=4, lease=LEASE)
FAULTS = {"worker_kills": 5, "server_kills": 1, "postgres_kills": 1, "zombies": 3, "cuts": 1}
PLAN = Plan(
    seed="ci",
    shape=SHAPE,
    runs=40,
    every=timedelta(milliseconds=300),
    quiet_within=timedelta(minutes=4),
    hastens=True,
    wanted=Wanted(**FAULTS, within=timedelta(seconds=12), lease=LEASE),
)
AT_ONCE = 60  # each waits behind all the others: with these the last is answered well in time


async def test_chaos_leaves_a_database_in_which_everything_holds(
    mortal: Server, empty: str
) -> None:
    told = await play(empty, PLAN, mortal)

    # How fast it was, and what share was answered in time, is the machine's: told, not judged.
    print_json(told.line)
    assert told.violations == []
    assert {kind: told.line["faults"][kind] for kind in FAULTS} == FAULTS


async def test_of_400_votes_60_at_once_two_decide_and_none_is_answered_5xx(
    mortal: Server, empty: str
) -> None:
    told = await storm(empty, SHAPE, number=400, at_once=AT_ONCE, seed="ci")

    print_json(told.line)
    assert told.wrong == []
    assert told.line["decisions"] == 1
    assert told.line["every_answer"] == {"200": 2, "409": 398}


async def test_a_database_that_somebody_may_need_is_left_alone(mortal: Server, empty: str) -> None:
    mortal.ask(
        "CREATE TABLE precious (id integer)", database=empty.partition("@/")[2].split("?")[0]
    )

    with pytest.raises(Refused, match="holds tables already"):
        await play(empty, PLAN, None)


def test_a_server_is_killed_stopped_and_begun_again_as_it_was(mortal: Server) -> None:
    control = PgCtl(mortal.programs / "pg_ctl", mortal.folder / "data", Event().wait)
    before = mortal.ask("SHOW max_connections")
    mortal.stop()  # begun by pg_ctl, it is no child of these tests
    control.start()

    try:
        for end in (control.kill, control.stop):
            end()
            with pytest.raises(RuntimeError):
                mortal.ask("SELECT 1")
            control.start()
            assert mortal.ask("SHOW max_connections") == before
    finally:
        control.stop()

    with pytest.raises(Invalid, match="No PostgreSQL runs"):
        control.check()
