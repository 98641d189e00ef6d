"""Servers, workers and PostgreSQL are killed, stopped and cut off under load: no invariant breaks."""

from datetime import timedelta
from threading import Event

import pytest

from bot.chaos.control import PgCtl
from bot.chaos.ground import Shape
from bot.chaos.nemesis import Wanted
from bot.chaos.playing import Plan, play
from bot.chaos.voting import storm
from engine.errors import Invalid, Refused
from tests.postgres.server import Server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.slow]

LEASE = timedelta(seconds=3)
SHAPE = Shape(servers=2, workers=4, lease=LEASE)
PLAN = Plan(
    seed="ci",
    shape=SHAPE,
    runs=100,
    every=timedelta(milliseconds=330),
    quiet_within=timedelta(minutes=4),
    hastens=True,
    wanted=Wanted(
        worker_kills=12,
        server_kills=2,
        postgres_kills=2,
        zombies=10,
        cuts=3,
        within=timedelta(seconds=30),
        lease=LEASE,
    ),
)


async def test_chaos_leaves_a_database_in_which_everything_holds(
    mortal: Server, empty: str
) -> None:
    told = await play(empty, PLAN, mortal)

    assert told.violations == []
    assert told.shortfalls == []
    assert told.line["runs"] >= PLAN.runs
    assert set(told.line["states"]) >= {"completed", "rolled_back"}


async def test_of_a_thousand_votes_on_two_servers_two_decide(mortal: Server, empty: str) -> None:
    told = await storm(empty, SHAPE, number=1_000, seed="ci")

    assert told.wrong == []
    assert told.line["decisions"] == 1
    # On a machine that is busy some hear "not confirmed, press again", and do; nothing else is 5xx.
    assert set(told.line["every_answer"]) <= {"200", "409", "503"}


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
