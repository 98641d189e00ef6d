"""Who follows a run is told that it waits, is stuck or ends, in the transaction in which that happens."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId, SystemIds
from engine.rules.following import parse_followers
from engine.services import runs
from engine.store import deliveries
from engine.store.runs import NewRun
from tests.engine.flows import FAIL
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HOOK = "https://hooks.example.com/services/hush"


async def followed(stage: Stage, workflow: str, *addresses: str, **given: object) -> RunId:
    new = NewRun(
        id=RunId(SystemIds().new("run")),
        tenant=DEFAULT_TENANT,
        workflow=workflow,
        version="1",
        input=given,
        started_by="key:agent",
        notify=parse_followers(list(addresses)),
    )
    await stage.database.write(lambda tx: runs.start(tx, new))
    await stage.worker().drain()
    return new.id


async def told(stage: Stage) -> list[str]:
    """What is in the outbox, the oldest first."""
    found = await stage.database.read(
        lambda tx: deliveries.page(tx, DEFAULT_TENANT, status=None, before=None, limit=100)
    )
    return [f"{each.event} {each.channel} {each.address}" for each in reversed(found)]


async def test_nobody_is_told_of_a_run_that_nobody_follows(stage: Stage) -> None:
    await stage.start("patient", rung="reject after 1h")

    assert await told(stage) == []


async def test_each_is_told_that_it_waits_and_how_it_ended(stage: Stage) -> None:
    run = await followed(stage, "patient", "slack:#ops", HOOK, rung="reject after 1h")
    waiting = await told(stage)
    await stage.vote(run, "ana")

    assert sorted(waiting) == ["run.waiting slack #ops", f"run.waiting webhook {HOOK}"]
    assert sorted((await told(stage))[2:]) == [
        "run.completed slack #ops",
        f"run.completed webhook {HOOK}",
    ]


async def test_what_is_stuck_is_told(stage: Stage) -> None:
    FAIL["undo smoke"] = 100
    run = await followed(stage, "deploy", "mailto:ops@example.com")

    await stage.vote(run, "ana", "reject", comment="No.")
    for _wait in range(12):
        await stage.pass_time(DAY)

    assert (await told(stage))[-1] == "compensation.stuck email ops@example.com"


async def test_who_cancels_it_has_them_told(stage: Stage) -> None:
    run = await followed(stage, "patient", "webhook:erp", rung="reject after 1h")

    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")
    )

    assert await told(stage) == ["run.waiting webhook erp", "run.cancelled webhook erp"]


async def test_the_secret_part_of_an_address_is_nowhere_else(stage: Stage) -> None:
    run = await followed(stage, "patient", HOOK, rung="reject after 1h")

    picture = await stage.picture(run)
    entries = await stage.database.read(
        lambda tx: runs.entries(tx, DEFAULT_TENANT, run, after=-1, limit=100)
    )

    assert picture.to_json()["notify"] == ["https://hooks.example.com/…"]
    assert "hush" not in str([each.to_json() for each in entries])
    assert await stage.is_sound(run)
