"""The steps of a run as people read them: an approval by its title, with what became of it."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import changing, runs
from engine.services.changing import Edit
from engine.services.keys import Scope
from engine.store.database import Transaction
from engine.store.keys import Caller
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

OPERATOR = Caller(
    tenant=DEFAULT_TENANT,
    key=None,
    person=None,
    scopes=frozenset(Scope),
    owner=None,
    name="This machine",
    kind="local",
)


async def asked(stage: Stage, run: RunId) -> list[tuple[str, str, bool]]:
    """Of each approval among the steps its name, its status, and whether it is over."""
    steps = (await stage.picture(run)).steps
    return [
        (step.name, step.status, step.ended_at is not None)
        for step in steps
        if step.kind == "approval"
    ]


@pytest.mark.parametrize(
    ("choice", "status"),
    [
        ("reject", "rejected"),
        ("request_changes", "changes_requested"),
        ("approve", "approved"),
    ],
)
async def test_an_approval_shows_what_people_decided(
    stage: Stage, choice: str, status: str
) -> None:
    run = await stage.start("deploy")

    await stage.vote(run, "ana", choice, comment="Because.")

    assert await asked(stage, run) == [("Keep the deployment?", status, True)]


@pytest.mark.parametrize(
    "rung", ["reject after 1h", "rollback after 1h", "continue with {} after 1h"]
)
async def test_an_approval_whose_time_is_over_is_expired(stage: Stage, rung: str) -> None:
    run = await stage.start("patient", rung=rung)

    await stage.pass_time(timedelta(hours=1))

    assert await asked(stage, run) == [("Go on?", "expired", True)]


async def test_an_approval_of_a_cancelled_run_is_cancelled(stage: Stage) -> None:
    run = await stage.start("deploy")

    await stage.database.write(
        lambda tx: runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")
    )

    assert await asked(stage, run) == [("Keep the deployment?", "cancelled", True)]


async def test_an_open_approval_waits_under_the_title_that_people_see(stage: Stage) -> None:
    run = await stage.start("deploy")
    (approval,) = (await stage.picture(run)).approvals

    def edit(tx: Transaction) -> None:
        changing.edit(tx, OPERATOR, approval.id, Edit(title="Keep 4.2?"), seen=None)

    before = await asked(stage, run)
    await stage.database.write(edit)

    assert before == [("Keep the deployment?", "waiting", False)]
    assert await asked(stage, run) == [("Keep 4.2?", "waiting", False)]


async def test_each_round_is_a_step_of_its_own(stage: Stage) -> None:
    run = await stage.start("asking_again")

    await stage.vote(run, "ana", "request_changes", comment="shorter")

    assert await asked(stage, run) == [
        ("First wording", "changes_requested", True),
        ("Second wording: shorter", "waiting", False),
    ]
