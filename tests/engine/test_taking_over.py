"""A worker that is gone: another one goes on with its run once the lease is over, and repeats nothing that is done."""

from datetime import timedelta
from typing import Final

import pytest

from engine.ids import DEFAULT_TENANT
from engine.rules.states import RunStatus
from engine.services import runs
from signoff import Run, workflow
from tests.engine.flows import LEDGER, deed, undo
from tests.engine.stage import Stage
from tests.engine.test_budgets import Lost

pytestmark = pytest.mark.anyio

POWER: Final[list[str]] = []  # whose worker's machine goes down in the middle of a step


def outage(name: str) -> str:
    """Do it; the first time the machine goes down before anybody hears of it."""
    deed(name)
    if POWER:
        POWER.pop()
        raise Lost
    return name


@workflow
async def interrupted(run: Run) -> str:
    """One step is done, and in the next one the machine goes down."""
    await run.step(deed, "first", undo=undo)
    await run.checkpoint("begun")
    await run.step(outage, "second")
    return str(await run.step(deed, "third"))


async def test_what_a_dead_worker_left_another_one_finishes(stage: Stage) -> None:
    POWER[:] = ["off"]
    with pytest.raises(BaseExceptionGroup):
        await stage.start("interrupted")
    (left,) = await stage.database.read(lambda tx: runs.page(tx, DEFAULT_TENANT))

    await stage.worker("another").drain()
    at_once = list(LEDGER)
    await stage.clock.advance(timedelta(hours=1))
    await stage.worker("another").drain()

    seen = await stage.picture(left.id)
    assert at_once == ["first", "second"]
    assert LEDGER == ["first", "second", "second", "third"]
    assert (seen.row.status, seen.row.result) == (RunStatus.COMPLETED, "third")
    assert [each["name"] for each in seen.checkpoints] == ["begun"]
    assert await stage.is_sound(left.id)
