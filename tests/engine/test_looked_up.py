"""Runs that nothing drives are looked up a page at a time, and not again while what was found is new."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.monitor import Monitor, Overdue
from engine.runtime.monitoring import Watcher
from engine.services import budgets
from engine.store import overdue
from engine.store.overdue import Late
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
RULE = Late(name="late", workflow="deploy", window=HOUR, after=2 * HOUR)


async def late(stage: Stage, *, after: RunId | None = None) -> list[RunId]:
    rows = await stage.database.read(
        lambda tx: overdue.waiting(tx, DEFAULT_TENANT, [RULE], after=after)
    )
    return [row.id for row in rows]


async def test_whoever_was_found_is_not_looked_at_within_the_window(stage: Stage) -> None:
    run = await stage.start("deploy")
    await stage.clock.advance(3 * HOUR)
    told = Monitor(name="late", watch=Overdue(after=2 * HOUR), workflow="deploy", window=HOUR)

    before = await late(stage)
    found = await Watcher(stage.database, {DEFAULT_TENANT: (told,)}, spent=budgets.shares).look()
    at_once = await late(stage)
    await stage.clock.advance(HOUR)

    assert (before, found, at_once, await late(stage)) == ([run], 1, [], [run])


async def test_a_page_goes_on_behind_the_one_before(stage: Stage) -> None:
    runs = sorted([await stage.start("deploy") for _each in range(3)])
    await stage.start("paid-refund")
    await stage.clock.advance(3 * HOUR)

    pages = [await late(stage, after=after) for after in (None, *runs)]

    assert pages == [runs, runs[1:], runs[2:], []]
