"""Whoever made the key that started a run never counts on what is asked for it, whoever answers for the key."""

import pytest

from engine.errors import NotEligible
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds
from engine.services import keys, runs
from engine.services.keys import NewKey
from engine.store import approvals
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


async def given_run_by_a_key_of(stage: Stage, maker: str) -> RunId:
    run = RunId(SystemIds().new("run"))

    def start(tx: Transaction) -> None:
        made = frozenset({PersonId(maker)})
        wanted = NewKey(name="agent", scopes=["runs:start"], owner=PersonId("eve"), makers=made)
        row, _ = keys.create(tx, DEFAULT_TENANT, wanted, by=f"person:{maker}")
        new = NewRun(
            id=run,
            tenant=DEFAULT_TENANT,
            workflow="deploy",
            version="1",
            input={},
            started_by=f"key:{row.id}",
            owner="eve",
        )
        runs.start(tx, new)

    await stage.database.write(start)
    await stage.worker().drain()
    return run


async def test_whoever_made_the_key_is_told_that_they_may_not_vote(stage: Stage) -> None:
    run = await given_run_by_a_key_of(stage, "dana")

    receipt = await stage.vote(run, "dana")

    assert isinstance(receipt.refusal, NotEligible)
    (asked,) = await stage.database.read(lambda tx: approvals.of_run(tx, run))
    assert asked.excluded == {"dana", "eve"}
    assert (await stage.vote(run, "ana")).refusal is None
    assert (await stage.picture(run)).row.status == "completed"
